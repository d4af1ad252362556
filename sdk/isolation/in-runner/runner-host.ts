import { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { applyNamespace } from '../../config/client-config.ts';
import type { ContextHost, LogLine, WorkerLabels } from '../../context/context-host.ts';
import { IdempotencyCollisionError } from '../../errors.ts';
import { fieldOf, textFieldOf } from '../../failure/safe-reads.ts';
import type { TaskOutcome } from '../../run/run-outcome.ts';
import type { RunStarter } from '../../run/run-starter.ts';
import { listOf, type Calls } from './calls-under-way.ts';
import { textsOf, type RunOrder } from '../messages/messages.ts';
import type { Relay } from './relay.ts';
import type { RunnerPort } from './runner-port.ts';
import { fromWireError } from '../messages/wire-error.ts';

/** After so many lines the worker is asked whether it has room, as its own tasks are held up there. */
const linesBetweenPauses = 500;

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** In a runner: what a context asks of its worker goes over the runner's port. */
export function runnerHost({
  order,
  port,
  calls,
  runner,
}: {
  order: RunOrder;
  port: RunnerPort;
  calls: Calls;
  runner: RunStarter;
}): ContextHost {
  const workflows = new Set(order.workflows);
  let labels: WorkerLabels = order.labels;
  let lines = 0;
  return {
    runner,
    logger: quiet, // the worker writes each line to its own
    workerId: () => order.workerId,
    hasWorkflow: (name) => workflows.has(applyNamespace(name, order.namespace).toLowerCase()),
    labels: () => ({ ...labels }),
    upsertLabels: async (changed) => {
      await calls.make('upsertLabels', changed);
      labels = { ...labels, ...changed };
      return { ...labels };
    },
    refreshTimeout: async (_id, increment) => void (await calls.make('refreshTimeout', increment)),
    releaseSlot: async () => void (await calls.make('releaseSlot', null)),
    log: async ({ at, level, message, metadata }: LogLine) => {
      port.send(JSON.stringify({ type: 'log', at: at.getTime(), level, message, metadata }));
      await port.drained();
      lines += 1;
      if (lines % linesBetweenPauses === 0) await calls.make('logged', null).catch(() => undefined);
    },
    putStream: async (_id, { number, chunk }) =>
      void (await calls.make('putStream', { number, chunk: Buffer.from(chunk).toString('base64') })),
  };
}

/** In a runner: the runs of its task. */
export function runnerRelay(calls: Calls): Relay {
  const encoded = (requests: readonly TriggerWorkflowRequest[]): string[] =>
    requests.map((request) => Buffer.from(TriggerWorkflowRequest.encode(request).finish()).toString('base64'));
  return {
    startOne: async (request) => String(await calls.make('startOne', encoded([request]))),
    startBulk: async (requests) => textsOf(await calls.make('startBulk', encoded(requests))),
    startEach: async (requests) =>
      listOf(await calls.make('startEach', encoded(requests))).map((one) =>
        typeof one === 'string' ? one : asCollision(one),
      ),
    outcomes: async (runId) => listOf(await calls.make('outcomes', runId)).flatMap((one) => readOutcome(one) ?? []),
    cancelTasks: async (ids) => textsOf(await calls.make('cancelTasks', ids)),
    replayTasks: async (ids) => textsOf(await calls.make('replayTasks', ids)),
  };
}

function asCollision(wire: unknown): IdempotencyCollisionError {
  const error = fromWireError(wire);
  return error instanceof IdempotencyCollisionError ? error : new IdempotencyCollisionError('');
}

function readOutcome(outcome: unknown): TaskOutcome | undefined {
  const named = { name: textFieldOf(outcome, 'name') ?? '', id: textFieldOf(outcome, 'id') ?? '' };
  const status = fieldOf(outcome, 'status');
  if (status === 'completed') return { ...named, status, output: textFieldOf(outcome, 'output') ?? '' };
  if (status === 'failed') return { ...named, status, error: textFieldOf(outcome, 'error') ?? '' };
  return status === 'cancelled' ? { ...named, status } : undefined;
}
