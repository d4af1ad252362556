import { setMaxListeners } from 'node:events';
import { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { captureConsole, captured } from '../../console-capture.ts';
import { parseActionPayload } from '../../context/action-payload.ts';
import { Context } from '../../context/context.ts';
import type { Body } from '../../definition/workflow-definition.ts';
import { TaskCancelledError } from '../../errors.ts';
import { fieldOf, textFieldOf } from '../../failure/safe-reads.ts';
import { withParentRun } from '../../run/parent-run.ts';
import type { RunStarter } from '../../run/run-starter.ts';
import { validate } from '../../schema/validate.ts';
import type { StandardSchema } from '../../schema/standard-schema.ts';
import { logForgottenCalls } from '../../worker/logs/log-forgotten-calls.ts';
import { toFailure, toResult, type AttemptResult } from '../../worker/attempt-result.ts';
import { watchProcess } from '../../worker/watch-process.ts';
import { Calls } from './calls-under-way.ts';
import type { RunOrder } from '../messages/messages.ts';
import { useRelay } from './relay.ts';
import { runnerHost, runnerRelay } from './runner-host.ts';
import type { RunnerPort } from './runner-port.ts';

/** A task as its module has declared it. */
export interface ServedTask {
  readonly body: Body;
  readonly inputSchema: StandardSchema | undefined;
  readonly outputSchema: StandardSchema | undefined;
  readonly runner: RunStarter;
}

let watched = false;

/** In a runner: runs an attempt of a task for the worker, and sends what became of it. */
export function serveAttempt(port: RunnerPort, task: ServedTask, text: string): void {
  // The worker has written it.
  const order: RunOrder = JSON.parse(text);
  const action = AssignedAction.decode(Buffer.from(order.action, 'base64'));
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  if (!watched) watchProcess({ logger: quiet, underWay: () => [] });
  watched = true;
  const calls = new Calls(port);
  const abortController = new AbortController();
  setMaxListeners(0, abortController.signal);
  port.hear((told) => {
    const message: unknown = JSON.parse(told);
    if (textFieldOf(message, 'type') === 'answer') calls.answer(message);
    else if (textFieldOf(message, 'type') === 'cancel')
      abortController.abort(new TaskCancelledError(textFieldOf(message, 'reason')));
  });
  useRelay(runnerRelay(calls));
  const host = runnerHost({ order, port, calls, runner: task.runner });
  const letGo = order.capturesConsole ? captureConsole() : () => {};
  const heard = <Result>(body: () => Result): Result =>
    order.capturesConsole
      ? captured((level, message) => void host.log({ at: new Date(), level, message, metadata: '{}' }), body)
      : body();
  const forgotten = logForgottenCalls((line) => void host.log(line));
  const run = async (): Promise<AttemptResult> => {
    try {
      const payload = parseActionPayload(action.actionPayload);
      const input =
        task.inputSchema === undefined
          ? payload.input
          : await validate(task.inputSchema, payload.input, 'INVALID_INPUT', `the input of ${action.taskName}`);
      const facts = { input, action, payload, abort: { abortController }, host };
      const parent = {
        workflowRunId: action.workflowRunId,
        taskRunExternalId: action.taskRunExternalId,
        workerId: order.workerId,
        signal: abortController.signal,
        nextChildIndex: 0,
        forgotten,
      };
      const output = await withParentRun(parent, async () => await task.body.run(input, new Context(facts)));
      const checked =
        task.outputSchema === undefined
          ? output
          : await validate(task.outputSchema, output, 'INVALID_OUTPUT', `the output of ${action.taskName}`);
      return toResult(action.taskName, checked);
    } catch (error) {
      return ofMemory(toFailure(error), error);
    }
  };
  void heard(run).then((result) => {
    forgotten.end();
    letGo();
    useRelay(undefined);
    port.hear(undefined);
    calls.end(new TaskCancelledError('the attempt has ended'));
    port.send(JSON.stringify({ type: 'result', result }));
  });
}

/** What the kernel does not give to a process beyond its limit comes to JavaScript as an error like others. */
function ofMemory(failure: ReturnType<typeof toFailure>, thrown: unknown): AttemptResult {
  return textFieldOf(thrown, 'name') === 'RangeError' &&
    textFieldOf(thrown, 'message') === 'Array buffer allocation failed' &&
    fieldOf(thrown, 'code') === undefined
    ? { ...failure, code: 'MEMORY_LIMIT' }
    : failure;
}
