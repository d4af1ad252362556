import { RunStatus } from '../../engine/model/task/status.ts';
import type { DurableNode } from '../../engine/plan/durable/durable-log.ts';
import { runProgram, type Operations, type Program } from './durable-program.ts';

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What the code gets of a node: text, or an error with that message. */
export interface NodeResult {
  text: string;
  failed: boolean;
}

/** @param given the node's payload, or what a child that completed gave */
export function nodeResult(name: string, status: RunStatus | undefined, given: string): NodeResult {
  const failed = status !== RunStatus.Completed;
  return { text: `${name}: ${failed ? 'failed' : given}`, failed };
}

/** What is wrong with a log that is a beginning. */
export const unfinished = 'the code does not end with what the log holds';

export interface OracleOptions {
  resultOf(node: DurableNode): NodeResult;
  /**
   * When the code learns that a child was spawned: as the log has it between results, or, as our SDK's code does, before
   * any other result.
   */
  answers: 'in the order of the log' | 'first';
}

interface Operation {
  kind: string;
  turn: number;
  settle(result: NodeResult): void;
  /** Of a child that was spawned, until the code is told so. */
  answer: (() => void) | undefined;
}

/**
 * What a log means, said as plainly as possible: the code runs once, from its start, without an interruption. Its
 * operations take the log's places in order; answers and results come to it one at a time, in the order of the log. Which
 * operations of one turn come first is the log's own to say.
 * @returns the code's output, or what is wrong with the log
 */
export async function readLog(
  program: Program,
  nodes: readonly DurableNode[],
  { resultOf, answers }: OracleOptions,
): Promise<{ output: unknown } | { wrong: string }> {
  const asked = new Map<string, Operation>();
  let turns = 0;
  const ask = (name: string, kind: string, answer?: () => void): Promise<string> =>
    new Promise((resolve, reject) => {
      asked.set(name, {
        kind,
        turn: turns,
        answer,
        settle: ({ text, failed }) => (failed ? reject(new Error(text)) : resolve(text)),
      });
    });
  const operations: Operations = {
    sleep: (name, ms) => ask(name, `sleep ${ms}`),
    event: (name, key) => ask(name, `event ${key}`),
    either: (name, ms, key) => ask(name, `sleep ${ms} or event ${key}`),
    child: (name) => ask(name, 'child'),
    spawn: (name) =>
      new Promise((answered) => {
        const result = ask(name, 'child', () => answered({ result }));
      }),
    memo: (name) => ask(name, 'memo'),
  };
  let output: { output: unknown } | undefined;
  const take = async (step: () => void): Promise<void> => {
    turns++;
    step();
    await turn();
  };
  await take(() => {
    void runProgram(program, operations).then((value) => {
      output = { output: value };
    });
  });
  const answer = async (node: DurableNode): Promise<void> => {
    const operation = asked.get(nameOf(node));
    const tell = operation?.answer;
    if (operation === undefined || tell === undefined) return;
    operation.answer = undefined;
    await take(tell);
  };
  const answerAll = async (): Promise<void> => {
    for (const node of nodes) await answer(node);
  };
  let before = 0;
  const messages = nodes
    .flatMap((node) => [
      { seq: node.askedSeq, node, result: false },
      ...(node.result === null ? [] : [{ seq: node.result.seq, node, result: true }]),
    ])
    .sort((a, b) => a.seq - b.seq);
  for (const { node, result } of messages) {
    if (answers === 'first') await answerAll();
    if (output !== undefined) break;
    const operation = asked.get(nameOf(node));
    if (operation === undefined)
      return { wrong: `node ${node.node} is in the log before the code asks for ${nameOf(node)}` };
    if (result) await take(() => operation.settle(resultOf(node)));
    else {
      if (operation.kind !== kindOf(node))
        return { wrong: `node ${node.node} holds ${kindOf(node)}, the code asks for ${operation.kind}` };
      if (operation.turn < before)
        return { wrong: `node ${node.node} was asked for before what the node before it holds` };
      before = operation.turn;
      await answer(node);
    }
  }
  return output ?? { wrong: unfinished };
}

function kindOf({ asked }: DurableNode): string {
  if (asked.kind !== 'wait') return asked.kind;
  return asked.conditions
    .map((condition) => (condition.kind === 'sleep' ? `sleep ${condition.ms}` : `event ${condition.eventKey}`))
    .join(' or ');
}

/** The operation's place in the program, which is written into all that is asked. */
export function nameOf({ asked }: Pick<DurableNode, 'asked'>): string {
  switch (asked.kind) {
    case 'wait':
      return asked.conditions[0]?.dataKey ?? '';
    case 'memo': {
      const [name]: [string] = JSON.parse(Buffer.from(asked.key, 'hex').toString());
      return name;
    }
    case 'child': {
      const { name }: { name: string } = JSON.parse(asked.input);
      return name;
    }
    default:
      throw new Error(`a program asks for no ${asked.kind}`);
  }
}
