import { fieldOf, isList, safely, textFieldOf } from '../../failure/safe-reads.ts';
import type { LogLine, WorkerLabels } from '../../context/context-host.ts';
import type { AttemptResult } from '../../worker/attempt-result.ts';

/** What a worker has a runner do: one attempt at a time. */
export interface RunOrder {
  readonly type: 'run';
  readonly home: string;
  /** The AssignedAction as the wire has it, in base64. */
  readonly action: string;
  readonly workerId: string | undefined;
  readonly namespace: string;
  /** Names of the workflows that the worker has registered. */
  readonly workflows: readonly string[];
  readonly labels: WorkerLabels;
  readonly capturesConsole: boolean;
}

export type WorkerMessage = RunOrder | { readonly type: 'cancel'; readonly reason: string } | Answer;

/** The answer to a call. */
export type Answer = { readonly type: 'answer'; readonly call: number } & (
  | { readonly value: unknown }
  | { readonly error: unknown }
);

/** What a runner's task asks of its worker. */
export interface Call {
  readonly type: 'call';
  readonly call: number;
  readonly name: string;
  readonly given: unknown;
}

export interface ToldFailure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

export type RunnerMessage =
  | { readonly type: 'log'; readonly line: LogLine }
  | Call
  | { readonly type: 'result'; readonly result: AttemptResult }
  | { readonly type: 'missing'; readonly known: readonly string[]; readonly stoppedAt: string | undefined }
  | { readonly type: 'broken' | 'fatal'; readonly failure: ToldFailure };

const levels: ReadonlySet<unknown> = new Set(['DEBUG', 'INFO', 'WARN', 'ERROR']);

/** What a runner says, which may run code that nobody trusts; `undefined` for what means nothing. */
export function parseRunnerMessage(text: string): RunnerMessage | undefined {
  const message: unknown = safely(() => JSON.parse(text), undefined);
  const type = textFieldOf(message, 'type');
  if (type === 'log') return parseLog(message);
  if (type === 'call') {
    const call = fieldOf(message, 'call');
    const name = textFieldOf(message, 'name');
    return typeof call === 'number' && name !== undefined
      ? { type, call, name, given: fieldOf(message, 'given') }
      : undefined;
  }
  if (type === 'result') {
    const result = parseResult(fieldOf(message, 'result'));
    return result === undefined ? undefined : { type, result };
  }
  if (type === 'missing')
    return { type, known: textsOf(fieldOf(message, 'known')), stoppedAt: textFieldOf(message, 'stoppedAt') };
  if (type === 'broken' || type === 'fatal') return { type, failure: parseFailure(fieldOf(message, 'failure')) };
  return undefined;
}

function parseLog(message: unknown): RunnerMessage | undefined {
  const at = fieldOf(message, 'at');
  const level = fieldOf(message, 'level');
  const text = textFieldOf(message, 'message');
  const metadata = textFieldOf(message, 'metadata');
  if (
    typeof at !== 'number' ||
    Number.isNaN(new Date(at).getTime()) ||
    !isLevel(level) ||
    text === undefined ||
    metadata === undefined
  )
    return undefined;
  return { type: 'log', line: { at: new Date(at), level, message: text, metadata } };
}

function isLevel(level: unknown): level is LogLine['level'] {
  return levels.has(level);
}

function parseResult(result: unknown): AttemptResult | undefined {
  const json = textFieldOf(result, 'json');
  if (textFieldOf(result, 'status') === 'completed')
    return json === undefined ? undefined : { status: 'completed', json };
  return { status: 'failed', ...parseFailure(result), retry: fieldOf(result, 'retry') !== false };
}

function parseFailure(failure: unknown): ToldFailure {
  return {
    message: textFieldOf(failure, 'message') ?? 'the task failed',
    stack: textFieldOf(failure, 'stack'),
    code: textFieldOf(failure, 'code'),
  };
}

export function textsOf(list: unknown): string[] {
  return isList(list) ? list.filter((one) => typeof one === 'string') : [];
}
