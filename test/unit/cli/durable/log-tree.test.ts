import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logText } from '../../../../cli/durable/log-text.ts';
import { currentBranch, isOpenSleep, logTree, openNodes } from '../../../../cli/durable/log-tree.ts';
import { nodeResult, nodeWait } from '../../../../cli/durable/node-text.ts';
import { mergeLog, type BranchRow, type NodeRow } from '../../../../cli/monitor/durable-log-row.ts';
import { eventOf, makeBranch, makeLog, makeNode, nowMs, open, sleepOf } from './log-world.ts';

/** Drawn as `<rails> b<branch>` and `<rails> <branch>.<node>`, a star behind what the task is on. */
function drawn(nodes: readonly NodeRow[], branches: readonly BranchRow[] = []): string[] {
  return logTree(makeLog(nodes, branches)).map(
    (line) =>
      `${line.rails} ${line.kind === 'branch' ? `b${line.branch.branch}` : `${line.node.branch}.${line.node.node}`}${line.isCurrent ? ' *' : ''}`,
  );
}

describe('the tree of a log', () => {
  it('is a list without branches', () => {
    expect(drawn([makeNode(1, 1), makeNode(1, 2)])).toEqual(['├─ 1.1 *', '└─ 1.2 *']);
  });

  it('shows a branch where it leaves, and what both have in common once', () => {
    const nodes = [makeNode(1, 1), makeNode(1, 2), makeNode(1, 3), makeNode(2, 2), makeNode(2, 3)];
    expect(drawn(nodes, [makeBranch(2, 1, 2)])).toEqual([
      '├─ 1.1 *',
      '├─ b2 *',
      '│ ├─ 2.2 *',
      '│ └─ 2.3 *',
      '├─ 1.2',
      '└─ 1.3',
    ]);
  });

  it('shows branches of branches, and one that leaves in the history of its parent', () => {
    const nodes = [makeNode(1, 1), makeNode(1, 2), makeNode(2, 2), makeNode(2, 3), makeNode(3, 3), makeNode(4, 1)];
    const branches = [makeBranch(2, 1, 2), makeBranch(3, 2, 3), makeBranch(4, 3, 1)];
    expect(drawn(nodes, branches)).toEqual([
      '├─ 1.1',
      '├─ b2',
      '│ ├─ 2.2',
      '│ ├─ b3',
      '│ │ ├─ b4 *',
      '│ │ │ └─ 4.1 *',
      '│ │ └─ 3.3',
      '│ └─ 2.3',
      '└─ 1.2',
    ]);
    expect(currentBranch({ branches })).toBe(4);
  });

  it('shows a branch that has asked for nothing yet, and keeps waits of older SDKs', () => {
    expect(drawn([makeNode(0, 1), makeNode(1, 1)], [makeBranch(2, 1, 1)])).toEqual(['└─ 0.1 *', '├─ b2 *', '└─ 1.1']);
  });

  it('shows each node and each branch once, whatever branched from where', () => {
    const world = fc
      .array(fc.record({ parent: fc.nat(), first: fc.nat(), length: fc.integer({ min: 0, max: 4 }) }), { maxLength: 6 })
      .map((choices) => {
        const branches: BranchRow[] = [];
        const ends = new Map([[1, 3]]);
        const nodes = [1, 2, 3].map((node) => makeNode(1, node));
        for (const [index, { parent, first, length }] of choices.entries()) {
          const branch = index + 2;
          const from = 1 + (parent % (branch - 1));
          const at = 1 + (first % (ends.get(from) ?? 1));
          branches.push(makeBranch(branch, from, at));
          for (let node = at; node < at + length; node++) nodes.push(makeNode(branch, node));
          ends.set(branch, Math.max(1, at + length - 1));
        }
        return makeLog(nodes, branches);
      });
    fc.assert(
      fc.property(world, (log) => {
        const lines = logTree(log);
        expect(
          lines
            .filter((line) => line.kind === 'node')
            .map((line) => `${line.node.branch}.${line.node.node}`)
            .sort(),
        ).toEqual(log.nodes.map((node) => `${node.branch}.${node.node}`).sort());
        expect(
          lines
            .filter((line) => line.kind === 'branch')
            .map((line) => `b${line.branch.branch}`)
            .sort(),
        ).toEqual(log.branches.map((branch) => `b${branch.branch}`).sort());
        // The history of the present branch has no place twice.
        const current = lines.flatMap((line) => (line.kind === 'node' && line.isCurrent ? [line.node.node] : []));
        expect(new Set(current).size).toBe(current.length);
      }),
    );
  });
});

describe('what a log waits for', () => {
  const waits = [
    makeNode(1, 1),
    makeNode(1, 2, { kind: 'WAIT', asked: 'sleep 1h', conditions: [sleepOf('1h', 3_600_000, 2000)], ...open }),
    makeNode(2, 2, { kind: 'WAIT', asked: 'event "go"', conditions: [eventOf('go')], ...open }),
    makeNode(2, 3, open),
  ];

  it('is what is open on the present branch, memos left out', () => {
    expect(openNodes(makeLog(waits, [makeBranch(2, 1, 2)])).map((node) => node.asked)).toEqual(['event "go"']);
    expect(waits.map(isOpenSleep)).toEqual([false, true, false, false]);
  });

  it('is said with its time', () => {
    const [, sleep] = waits;
    expect(sleep === undefined ? '' : nodeWait(sleep, nowMs)).toBe('waits 58.0 s, ends in 59 m 2 s');
    expect(nodeWait(makeNode(1, 1), nowMs)).toBe('500 ms');
  });

  it('is the last line of the text; what an old branch left open is no wait', () => {
    const text = logText(makeLog(waits, [makeBranch(2, 1, 2)]), { isEnded: false, nowMs });
    expect(text.split('\n')).toEqual([
      'log of only, on branch 2',
      '├─ 1 ✓ memo 11  500 ms, invocation 1',
      '│     {"n":1}',
      '├─ branch 2, from node 2 of branch 1 (the present one)',
      '│ ├─ 2 … event "go"  waits 58.0 s, invocation 2',
      '│ └─ 3 … memo 23  waits 57.0 s, invocation 2',
      '└─ 2 … sleep 1h  left open, invocation 1',
      'open now: event "go" (node 2)',
    ]);
    expect(logText(makeLog([]), { isEnded: false })).toContain('has asked for nothing yet');
  });
});

describe('what came of a node', () => {
  it('is the event that a wait was for, by key where there are several, and nothing of a sleep', () => {
    const event = { kind: 'WAIT', conditions: [eventOf('go')], output: { CREATE: { event: [{ id: 7 }] } } } as const;
    expect(nodeResult(makeNode(1, 1, event))).toBe('{"id":7}');
    expect(nodeResult(makeNode(1, 1, { ...event, conditions: [eventOf('go'), sleepOf('1s', 1000, 0)] }))).toBe(
      '{"event":{"id":7}}',
    );
    expect(
      nodeResult(
        makeNode(1, 1, {
          kind: 'WAIT',
          conditions: [sleepOf('1s', 1000, 0)],
          output: { CREATE: { sleep: [{ sleep_duration: '1s' }] } },
        }),
      ),
    ).toBe('');
  });

  it('is the error of a child, or as much of the output as came', () => {
    expect(nodeResult(makeNode(1, 1, { kind: 'CHILD', status: 'FAILED', errorMessage: 'it broke' }))).toBe('it broke');
    expect(nodeResult(makeNode(1, 1, { output: '{"long":"tex', outputCut: true }))).toBe('{"long":"tex…');
  });
});

describe('a log that grows', () => {
  it('has the newer state of each node, in order', () => {
    const before = makeLog([makeNode(1, 1, open)]);
    const after = mergeLog(before, makeLog([makeNode(1, 2, open), makeNode(1, 1)], [makeBranch(2, 1, 1)]));
    expect(after.nodes.map((node) => [node.node, node.satisfiedAt !== null])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(after.branches).toHaveLength(1);
    expect(mergeLog(after, makeLog([])).nodes).toHaveLength(2);
  });
});
