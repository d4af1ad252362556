/**
 * The table of budgets in one run: `npm run bench [-- --rounds N] [--only backlog,idle] [--node 24] [--quick]`. Needs a build and
 * the packages of this folder. Prints the table; a whole run writes it into docs/performance.md too.
 */
import { parseArgs } from 'node:util';
import { backlog } from './budget/backlog.ts';
import { flows } from './budget/flows.ts';
import { idle } from './budget/idle.ts';
import { latency } from './budget/latency.ts';
import { many } from './budget/many.ts';
import type { Part } from './budget/part.ts';
import { budgetTable, partNames, type PartName } from './budget/rows.ts';
import { Samples } from './budget/samples.ts';
import type { Contestant } from './contestant.ts';
import { loadContestant } from './contestants.ts';
import { machine, today } from './machine.ts';
import { fullSizes, quickSizes } from './measure.ts';
import { findNode } from './node-binary.ts';
import { readShared, sharedOptions } from './options.ts';
import { writeSection } from './section.ts';
import { beginSession } from './session.ts';

const parts: Readonly<Record<PartName, Part>> = { backlog, latency, flows, idle, many };

const session = beginSession();
const { values } = parseArgs({ options: sharedOptions });
const { quick, rounds, wanted: chosen, isWhole } = readShared(values, partNames);
const node = findNode(values.node);
const samples = new Samples();
const loaded = new Map<string, Contestant>();
const failures: string[] = [];

async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  if (session.isInterrupted()) return;
  console.error(`  ${what}`);
  try {
    await work();
  } catch (error) {
    if (session.isInterrupted()) return;
    console.error(error);
    failures.push(`${what} (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`);
  }
}

for (let round = 0; round < rounds; round++) {
  console.error(`round ${round + 1} of ${rounds}`);
  samples.begin();
  for (const name of chosen)
    await attempt(name, () =>
      parts[name]({
        samples,
        cleanup: session.cleanup,
        sizes: quick ? quickSizes : { ...fullSizes, paced: 2_000 },
        idleSeconds: quick ? 10 : 40,
        node: node.path,
        round,
        attempt,
        async contestant(name) {
          const contestant = loaded.get(name) ?? (await loadContestant(name));
          loaded.set(name, contestant);
          return contestant;
        },
      }),
    );
}
if (!session.isInterrupted()) {
  const [major] = node.version.split('.');
  const versions = [...loaded.values()].map(({ version }) => version).join(', ');
  const report = [
    `## The budgets, on Node ${major}`,
    '',
    `\`npm run bench\` on ${today()}: ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn, Node ${node.version}, ${machine()}; ${versions}. Median (lowest–highest); a ratio is of two figures of the same round. CPU of a backlog is judged by its ratio to graphile-worker, which does not depend on the machine. Of a backlog as many jobs went through before, so that code is compiled. Settings are those of "Beside other queues".`,
    '',
    budgetTable(samples, chosen),
    ...(failures.length === 0 ? [] : ['', `Could not be measured: ${failures.join('; ')}.`]),
  ].join('\n');
  console.log(report);
  if (isWhole) writeSection(`bench on Node ${major}`, report);
}
await session.exit(failures.length > 0);
