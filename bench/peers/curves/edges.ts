import type { Shape } from '../contestant.ts';
import { cpuNames, cpuReadings, panel, sweep, type Curve, type CurveContext, type Line } from './curve.ts';

/** Edges are given connections in turn: with some of each kind for each of them, none is without. */
const tenants = 8;
const sdks = { ours: 'our SDK', published: 'published SDK' } as const;

/** Clients of the published SDK are what edges are for: a call of theirs costs the engine most. Our SDK's sessions pass edges as bytes. */
export const edges: Curve = {
  name: 'edges',
  title: 'Edge processes of an engine',
  xTitle: `edges, on the same cores as all else (0: the engine takes the calls); ${tenants} tenants, 500 tasks in flight in all`,
  async measure(context) {
    const published = await lines(context, 'published');
    const ours = await lines(context, 'ours');
    const names = [...cpuNames, 'edges'];
    return [
      {
        title: 'tasks a second',
        lines: [renamed(ours, 'tasks/s', sdks.ours), renamed(published, 'tasks/s', sdks.published)].flat(),
      },
      panel(`CPU a task by the ${sdks.published}, µs`, published, names),
      panel(`CPU a task by ${sdks.ours}, µs`, ours, names),
    ];
  },
};

function lines(context: CurveContext, sdk: Shape['sdk']): Promise<Map<string, Line>> {
  console.error(`  ${sdks[sdk]}`);
  const { inFlight } = context;
  // A task takes ten times as long where each job and report is a call.
  const part = sdk === 'ours' ? 1 : 4;
  const [warmUp, count] = [context.warmUp / part, context.jobs / part];
  return sweep(
    context,
    [0, 1, 2, 3, 4],
    (edges) => ({ edges, tenants, sdk }),
    async (round) => {
      const measured = await round.inFlight({ until: 'result', inFlight, warmUp, count });
      const cpu = measured?.cpu;
      return {
        'tasks/s': measured?.perSecond,
        ...cpuReadings(cpu && { ...cpu, engine: cpu.engine && cpu.engine - (cpu.edges ?? 0) }),
        edges: cpu?.edges,
      };
    },
  );
}

function renamed(lines: ReadonlyMap<string, Line>, from: string, name: string): Line[] {
  const line = lines.get(from);
  return line === undefined ? [] : [{ ...line, name }];
}
