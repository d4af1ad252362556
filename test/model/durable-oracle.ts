import type { DurableResultRow } from '../../engine/model/rows.ts';
import type { DurableNode } from '../../engine/plan/durable-log.ts';
import { runProgram, type Operations, type Program } from './durable-program.ts';

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * What a log means, said as plainly as possible: the code runs once, from its start, without an interruption. Its
 * operations take the log's places in order; answers and results come to it one at a time, in the order of the log.
 * @returns the code's output, or what is wrong with the log
 */
export async function readLog(program: Program, nodes: readonly DurableNode[], resultOf: (node: DurableNode) => DurableResultRow | undefined): Promise<{ output: unknown } | { wrong: string }> {
  const waiting = new Map<number, (result: string) => void>();
  const answers = new Map<number, () => void>();
  let asked = 0;
  let wrong = '';
  const ask = (kind: string): Promise<string> => {
    asked++;
    const node = nodes[asked - 1];
    if (node !== undefined && describe(node) !== kind) wrong ||= `node ${asked} holds ${describe(node)}, the code asks for ${kind}`;
    const place = asked;
    return new Promise((resolve) => waiting.set(place, resolve));
  };
  const operations: Operations = {
    sleep: (seconds) => ask(`sleep ${seconds}`),
    event: (key) => ask(`event ${key}`),
    either: (seconds, key) => ask(`sleep ${seconds} or event ${key}`),
    child: () => ask('child'),
    spawn: async () => {
      const result = ask('child');
      const place = asked;
      await new Promise<void>((resolve) => answers.set(place, resolve));
      return { result };
    },
    memo: () => ask('memo'),
  };
  let output: { output: unknown } | undefined;
  void runProgram(program, operations).then((value) => {
    output = { output: value };
  });
  await turn();
  const messages = nodes.flatMap((node) => [{ seq: node.askedSeq, node, result: false }, ...(node.result === null ? [] : [{ seq: node.result.seq, node, result: true }])]).sort((a, b) => a.seq - b.seq);
  for (const { node, result } of messages) {
    if (output !== undefined) break;
    if (asked < node.node) return { wrong: `the log has node ${node.node} before the code asks for it` };
    if (result) waiting.get(node.node)?.(resultText(node, resultOf(node)));
    else answers.get(node.node)?.();
    await turn();
  }
  if (wrong !== '') return { wrong };
  if (output === undefined) return { wrong: 'the code does not end with what the log holds' };
  return output;
}

function describe(node: DurableNode): string {
  const { asked } = node;
  if (asked.kind !== 'wait') return asked.kind;
  return asked.conditions.map((condition) => (condition.kind === 'sleep' ? `sleep ${condition.ms / 1000}` : `event ${condition.eventKey}`)).join(' or ');
}

/** What the code gets of a node. */
export function resultText(node: Pick<DurableNode, 'kind' | 'node'>, row: Pick<DurableResultRow, 'payload' | 'status'> | undefined): string {
  return `${node.node}: ${row?.payload ?? `child ${row?.status}`}`;
}
