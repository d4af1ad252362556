/**
 * This project's engine and SDK beside other job queues: `npm run bench:peers [-- --rounds N] [--only a,b] [--node 20,24] [--quick]`.
 * Needs a build and the packages of this folder. Prints Markdown tables; progress goes to stderr.
 */
import { parseArgs } from 'node:util';
import type { Contestant } from './contestant.ts';
import { loadContestant, names, ours } from './contestants.ts';
import { fullSizes, measure, quickSizes, type Figures } from './measure.ts';
import { findNode, type NodeBinary } from './node-binary.ts';
import { readShared, sharedOptions } from './options.ts';
import { beginSession, inTurn } from './session.ts';
import { printTables } from './table.ts';

const session = beginSession();
const { values } = parseArgs({ options: sharedOptions });
const { quick, rounds, wanted } = readShared(values, names);
const sizes = quick ? quickSizes : fullSizes;
const nodes = values.node?.split(',').map(findNode) ?? [findNode(undefined)];
const chosen = new Map<string, Contestant>();
for (const name of new Set([ours, ...wanted])) chosen.set(name, await loadContestant(name));

interface OnNode {
  node: NodeBinary;
  figures: Map<string, Figures[]>;
  /** Why a contestant could not be measured. It is left out from then on. */
  failures: Map<string, string>;
}

const results = nodes.map((node): OnNode => ({ node, figures: new Map(), failures: new Map() }));
const all = [...chosen].flatMap(([name, contestant]) => results.map((on) => ({ name, contestant, on })));
for (let round = 0; round < rounds; round++) {
  for (const { name, contestant, on } of inTurn(all, round * results.length)) {
    if (session.isInterrupted() || on.failures.has(name)) continue;
    console.error(`round ${round + 1} of ${rounds}: ${name} on Node ${on.node.version}`);
    try {
      const figures = await measure({ name, contestant, node: on.node.path }, sizes, session.cleanup);
      on.figures.set(name, [...(on.figures.get(name) ?? []), figures]);
    } catch (error) {
      if (session.isInterrupted()) continue;
      console.error(error);
      on.failures.set(name, error instanceof Error ? error.message : String(error));
    }
  }
}
if (!session.isInterrupted())
  for (const { node, ...measured } of results)
    printTables({ ...measured, node: node.version, chosen, ours, sizes, rounds });
await session.exit(results.some(({ failures }) => failures.size > 0));
