/**
 * What a task costs along payloads, workers, tenants and more, as pictures: `npm run bench:curves [-- --only payload,workers]
 * [--rounds N] [--million] [--rows 10000000] [--minutes 10] [--node 24] [--quick] [--out folder]`. Needs a build and the packages of this folder.
 * Writes docs/curves and their links in docs/performance.md; with `--out` only the pictures, there; with `--quick` alone none.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadContestant, ours } from './contestants.ts';
import { backlog } from './curves/backlog.ts';
import type { Curve, CurveContext, Panel } from './curves/curve.ts';
import { dagDepth } from './curves/dag-depth.ts';
import { dagWidth } from './curves/dag-width.ts';
import { edges } from './curves/edges.ts';
import { history } from './curves/history.ts';
import { keys } from './curves/keys.ts';
import { logLength } from './curves/log-length.ts';
import { payload } from './curves/payload.ts';
import { replicas } from './curves/replicas.ts';
import { drawCurve } from './curves/svg.ts';
import { tenants } from './curves/tenants.ts';
import { time } from './curves/time.ts';
import { workers } from './curves/workers.ts';
import { here } from './helpers.ts';
import { machine, today } from './machine.ts';
import { findNode } from './node-binary.ts';
import { parseCount, readShared, sharedOptions } from './options.ts';
import { writeSection } from './section.ts';
import { beginSession } from './session.ts';
import { formatSpread } from './statistics.ts';

const curves: readonly Curve[] = [
  payload,
  workers,
  backlog,
  tenants,
  keys,
  dagWidth,
  dagDepth,
  logLength,
  replicas,
  edges,
  history,
  time,
];
const inDocs = join(here, '../../docs/curves');

const { values: options } = parseArgs({
  options: {
    ...sharedOptions,
    minutes: { type: 'string' },
    out: { type: 'string' },
    million: { type: 'boolean', default: false },
    rows: { type: 'string' },
  },
});
const session = beginSession();
const { quick, rounds, wanted } = readShared(
  options,
  curves.map(({ name }) => name),
);
const node = findNode(options.node);
const contestant = await loadContestant(ours);
const failures: string[] = [];
const context: CurveContext = {
  rounds,
  jobs: quick ? 2_000 : 10_000,
  warmUp: quick ? 500 : 5_000,
  inFlight: 500,
  million: options.million,
  historyRows: options.rows === undefined ? (quick ? 100_000 : 1_000_000) : parseCount('rows', options.rows),
  minutes: minutesOf(options.minutes ?? (quick ? '0.2' : '1')),
  node: node.path,
  contestant,
  cleanup: session.cleanup,
  values: (all) => (quick ? all.filter((_, n) => n === 0 || n === all.length - 1) : all),
  async attempt(what, work) {
    if (session.isInterrupted()) return;
    console.error(`  ${what}`);
    try {
      await work();
    } catch (error) {
      if (session.isInterrupted()) return;
      console.error(error);
      failures.push(what);
    }
  },
};

for (const curve of curves) {
  if (session.isInterrupted() || !wanted.includes(curve.name)) continue;
  console.error(curve.name);
  const panels = await curve.measure(context);
  if (session.isInterrupted()) break;
  console.log(printed(curve, panels));
  const folder = options.out ?? (quick ? undefined : inDocs);
  if (folder !== undefined) writePicture(folder, curve, panels);
}
if (!session.isInterrupted() && options.out === undefined && !quick) writeSection('curves', links());
if (failures.length > 0) console.error(`could not be measured: ${failures.join(', ')}`);
await session.exit(failures.length > 0);

function minutesOf(given: string): number {
  const minutes = Number(given);
  if (!(minutes > 0)) throw new Error(`--minutes is a number above 0, not ${given}`);
  return minutes;
}

function writePicture(folder: string, curve: Curve, panels: readonly Panel[]): void {
  mkdirSync(folder, { recursive: true });
  const measured = curve === time || rounds === 1 ? 'one round' : `medians and spans of ${rounds} rounds`;
  const caption = `${measured}; ${today()}, ${contestant.version}, Node ${node.version}, ${machine()}`;
  writeFileSync(join(folder, `${curve.name}.svg`), drawCurve(curve, panels, caption));
}

/** Of all pictures that are there, whenever they were made. */
function links(): string {
  const there = curves.filter(({ name }) => existsSync(join(inDocs, `${name}.svg`)));
  return [
    '## Curves',
    '',
    'By `npm run bench:curves`: clients, workers, engines and Postgres share the cores of one machine; each point has engines, processes and a Postgres of its own. When and where is said in each picture.',
    ...there.map(({ name, title, xTitle }) => `\n![${title}: ${xTitle}](curves/${name}.svg)`),
  ].join('\n');
}

/** The figures of a picture. */
function printed(curve: Curve, panels: readonly Panel[]): string {
  return panels
    .flatMap(({ title, lines }) => [
      `${curve.title}, ${title}`,
      ...lines.map(
        ({ name, points }) =>
          `  ${name}: ${points.map(({ x, values }) => `${x}: ${formatSpread(values, 1)}`).join(', ')}`,
      ),
    ])
    .join('\n');
}
