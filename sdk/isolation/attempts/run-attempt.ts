import { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { WorkerLabels } from '../../context/context-host.ts';
import { asError } from '../../errors.ts';
import { pause } from '../../../link/backoff.ts';
import { cut } from '../../failure/safe-reads.ts';
import type { AttemptResult } from '../../worker/attempt-result.ts';
import { AttemptDesk, type DeskFacts } from './attempt-desk.ts';
import type { IsolatedStep } from '../definition/isolated-step.ts';
import {
  parseRunnerMessage,
  type Call,
  type RunnerMessage,
  type RunOrder,
  type WorkerMessage,
} from '../messages/messages.ts';
import { bounded, endBeyondLimits, longestMessage, withinLimits } from './enforce-limits.ts';
import type { RunnerEnd, RunnerLink } from '../runners/runner-link.ts';

/** Calls that a sandbox may have under way; it is not heard until some of them are answered. */
const mostCalls = 64;

/** Of the tasks that a module declares. */
const mostNamed = 5;

/** What the engine has assigned, and what the worker knows besides. */
export interface IsolatedAttempt extends DeskFacts {
  readonly namespace: string;
  readonly workflows: readonly string[];
  readonly labels: WorkerLabels;
  readonly capturesConsole: boolean;
  /** What a cancelled attempt's code has to end by itself. */
  readonly graceMs: number;
}

/** How an attempt ended, and whether its runner can be given another. */
export interface AttemptEnd {
  readonly result: AttemptResult;
  readonly isReusable: boolean;
  /** The module is of a language that the runner could not load. */
  readonly wantsBundle?: boolean;
}

/** Runs one attempt in a runner. When this resolves, its code has ended, or its runner is gone. */
export async function runAttempt(link: RunnerLink, attempt: IsolatedAttempt): Promise<AttemptEnd> {
  const { step, signal, action } = attempt;
  const desk = new AttemptDesk(attempt);
  const calls = new CallsUnderWay(link, desk, step.level === 'sandbox');
  const told = new Promise<Exclude<RunnerMessage, { type: 'log' | 'call' }> | undefined>((resolve) => {
    link.hear((text) => {
      const message = parseRunnerMessage(text);
      if (message?.type === 'log') desk.log(message.line);
      else if (message?.type === 'call') calls.begin(message);
      else resolve(message);
    });
  });
  const over = new AbortController();
  const abort = (): void => void end(link, attempt, over.signal);
  const before = step.cpuMs === undefined ? 0 : ((await link.usage())?.busyMs ?? 0);
  const order: RunOrder = {
    type: 'run',
    home: step.home,
    action: Buffer.from(AssignedAction.encode(action).finish()).toString('base64'),
    workerId: attempt.host.workerId(),
    namespace: attempt.namespace,
    workflows: attempt.workflows,
    labels: attempt.labels,
    capturesConsole: attempt.capturesConsole,
  };
  if (!signal.aborted) link.send(JSON.stringify(order satisfies WorkerMessage));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  void endBeyondLimits(link, step, { over: over.signal, beforeMs: before });
  try {
    const first = await Promise.race([told.then((message) => ({ message })), link.gone.then((gone) => ({ gone }))]);
    if ('gone' in first) return { result: lost(step, first.gone), isReusable: false };
    return await readEnd(link, step, first.message, signal.aborted);
  } finally {
    over.abort();
    signal.removeEventListener('abort', abort);
    link.hear(undefined);
  }
}

async function readEnd(
  link: RunnerLink,
  step: IsolatedStep,
  message: Exclude<RunnerMessage, { type: 'log' | 'call' }> | undefined,
  isCancelled: boolean,
): Promise<AttemptEnd> {
  if (message?.type === 'result') {
    // Code that was cancelled may go on behind its own back: nothing else is to run beside it.
    return { result: withinLimits(step, message.result), isReusable: !isCancelled && step.level !== 'sandbox' };
  }
  if (message?.type === 'missing')
    return { result: missing(step, message.known, message.stoppedAt), isReusable: false };
  if (message?.type === 'broken') {
    const { failure } = message;
    return {
      result: {
        status: 'failed',
        ...bounded(failure),
        message: `the module ${step.module ?? ''}, which declares the task ${step.label}, could not be loaded in its ${step.level}: ${cut(failure.message, longestMessage)}`,
        retry: true,
      },
      isReusable: false,
      wantsBundle: failure.code === 'ERR_UNKNOWN_FILE_EXTENSION',
    };
  }
  if (message?.type === 'fatal') {
    const { failure } = message;
    // It ends itself; but nothing that it says has to be believed.
    await Promise.race([link.gone, pause(1_000)]);
    return {
      result: {
        status: 'failed',
        ...bounded(failure),
        message: `the ${step.level} of the task ${step.label} ended: nothing has caught ${cut(failure.message, longestMessage)}`,
        code: failure.code ?? 'RUNNER_LOST',
        retry: true,
      },
      isReusable: false,
    };
  }
  await link.kill({ code: 'RUNNER_LOST', how: 'said what no runner says' });
  return { result: lost(step, await link.gone), isReusable: false };
}

/** A cancelled attempt: its code may end by itself for a while. */
async function end(link: RunnerLink, { signal, graceMs }: IsolatedAttempt, over: AbortSignal): Promise<void> {
  link.send(JSON.stringify({ type: 'cancel', reason: asError(signal.reason).message } satisfies WorkerMessage));
  await pause(graceMs, over);
  if (!over.aborted) await link.kill({ code: 'RUNNER_LOST', how: 'was ended, as the attempt was cancelled' });
}

function lost(step: IsolatedStep, { code, how }: RunnerEnd): AttemptResult {
  return {
    status: 'failed',
    message: `the ${step.level} of the task ${step.label} ${how}`,
    stack: undefined,
    code,
    retry: true,
  };
}

function missing(step: IsolatedStep, known: readonly string[], stoppedAt: string | undefined): AttemptResult {
  const more = known.length > mostNamed ? ` and ${known.length - mostNamed} more` : '';
  const others =
    known.length === 0
      ? 'it declares no task with `isolation`'
      : `it declares ${cut(known.slice(0, mostNamed).join(', '), 1_000)}${more}`;
  const stopped =
    stoppedAt === undefined
      ? ''
      : `; its top-level code goes no further than ${cut(stoppedAt, 200)}, which is for workers`;
  return {
    status: 'failed',
    message: `the module ${step.module ?? ''} does not declare the task ${step.label} when a ${step.level} imports it: ${others}${stopped}. Declare the task at the top level of a module, whatever the environment, or name the module that does: isolation: { level: '${step.level}', module: import.meta.url }`,
    stack: undefined,
    code: 'TASK_NOT_FOUND',
    retry: false,
  };
}

/** What the task has asked for and not heard of yet. */
class CallsUnderWay {
  readonly #link: RunnerLink;
  readonly #desk: AttemptDesk;
  readonly #isBounded: boolean;
  #count = 0;

  constructor(link: RunnerLink, desk: AttemptDesk, isBounded: boolean) {
    this.#link = link;
    this.#desk = desk;
    this.#isBounded = isBounded;
  }

  begin(call: Call): void {
    this.#count += 1;
    this.#bound();
    void this.#desk.answer(call).then((answer) => {
      this.#count -= 1;
      this.#bound();
      this.#link.send(JSON.stringify(answer satisfies WorkerMessage));
    });
  }

  #bound(): void {
    if (this.#isBounded) this.#link.setPaused(this.#count >= mostCalls);
  }
}
