import { withOurs, type Curve, type Panel } from './curve.ts';

/** So many points on the line, a second apart at least. */
const points = 60;

/** One round: what it shows is what changes within it. */
export const time: Curve = {
  name: 'time',
  title: 'Time',
  xTitle: 'seconds since the first of the tasks, of which 500 are in flight',
  isLinear: true,
  async measure(context) {
    const { inFlight, minutes } = context;
    const forMs = minutes * 60_000;
    const everyMs = Math.max(1_000, forMs / points);
    const panels: Panel[] = [];
    await context.attempt(`${minutes} minutes`, async () => {
      const spans = await withOurs(context, {}, (round) => round.keepFor({ inFlight, forMs, everyMs }));
      const line = (name: string, of: (span: (typeof spans)[number]) => number) => ({
        name,
        points: spans.map((span, n) => ({ x: ((n + 1) * everyMs) / 1_000, values: [of(span)] })),
      });
      panels.push(
        { title: 'tasks a second', lines: [line('tasks/s', ({ results }) => results / (everyMs / 1_000))] },
        {
          title: 'trigger to result with 500 in flight, ms',
          lines: [line('p50', ({ p50 }) => p50), line('p99', ({ p99 }) => p99)],
        },
        { title: "the engine's resident memory, MB", lines: [line('memory', ({ engineMb }) => engineMb)] },
      );
    });
    return panels;
  },
};
