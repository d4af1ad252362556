import { Server, ServerCredentials, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { AssignedAction } from '../../../../proto/gen/hatchet/contract/dispatcher.ts';
import {
  V1DispatcherService,
  type DurableTaskRequest,
  type DurableTaskResponse,
} from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { resolveConfig } from '../../../../sdk/config/client-config.ts';
import { Connection } from '../../../../sdk/connection/connection.ts';
import { parseActionPayload } from '../../../../sdk/context/action-payload.ts';
import type { ContextHost } from '../../../../sdk/context/context-host.ts';
import { toDurableBody } from '../../../../sdk/definition/workflow-definition.ts';
import { ResultListener } from '../../../../sdk/run/result-listener.ts';
import { RunStarter } from '../../../../sdk/run/run-starter.ts';
import type { DurableAction } from '../../../../sdk/worker/action.ts';
import { Attempt } from '../../../../sdk/worker/attempts.ts';
import { DurableTasks, left } from '../../../../sdk/worker/durable-tasks.ts';
import { quiet } from '../../../helpers/quiet-logger.ts';

/** An engine whose logs have a result for each wait, and which takes its time to tell them. */
async function startSlowReplayer(tellMs: number): Promise<Connection> {
  const durableTask = (stream: ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>): void => {
    stream.on('error', () => {});
    let nodes = 0n;
    stream.on('data', ({ message }: DurableTaskRequest) => {
      if (message?.$case === 'registerWorker')
        stream.write({ message: { $case: 'registerWorker', value: message.value } });
      if (message?.$case === 'evictInvocation')
        stream.write({ message: { $case: 'evictionAck', value: message.value } });
      if (message?.$case !== 'waitFor') return;
      const ref = { ...message.value, branchId: 1n, nodeId: ++nodes };
      stream.write({ message: { $case: 'waitForAck', value: { ref } } });
      setTimeout(
        () =>
          stream.write({
            message: {
              $case: 'entryCompleted',
              value: { ref, payload: Buffer.from('{"CREATE":{}}'), isFailure: false, errorMessage: undefined },
            },
          }),
        tellMs,
      );
    });
  };
  const implementation: UntypedServiceImplementation = { durableTask };
  const server = new Server();
  server.addService({ durableTask: V1DispatcherService.durableTask }, implementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const claims = Buffer.from(
    JSON.stringify({ sub: 'tenant', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: `127.0.0.1:${port}` }),
  ).toString('base64url');
  const connection = new Connection(
    resolveConfig({ token: `e30.${claims}.signature`, logLevel: 'OFF' }, {}, () => undefined),
  );
  onTestFinished(() => {
    connection.close();
    server.forceShutdown();
  });
  return connection;
}

it('a task comes to an end though a replay takes more than half of its execution timeout', async () => {
  const connection = await startSlowReplayer(15);
  const tasks = new DurableTasks(connection, quiet);
  onTestFinished(() => tasks.stop());
  tasks.serve('worker', 10);
  const nothing = async (): Promise<void> => {};
  const host: ContextHost = {
    runner: new RunStarter(connection, new ResultListener(connection, quiet), quiet),
    logger: quiet,
    workerId: () => 'worker',
    hasWorkflow: () => false,
    labels: () => ({}),
    upsertLabels: async (labels) => labels,
    refreshTimeout: nothing,
    releaseSlot: nothing,
    log: nothing,
    putStream: nothing,
  };
  const body = toDurableBody(async (_input: unknown, ctx) => {
    for (let step = 0; step < 45; step++) await ctx.sleepFor('1s');
    return 'done';
  });
  if (body === undefined) throw new Error('it has a function');
  const durable: DurableAction = {
    durable: { body, evictionPolicy: {}, executionTimeoutMs: 1_000, versionId: '', standsFor: undefined },
    workflowName: 'a-workflow',
    inputSchema: undefined,
    outputSchema: undefined,
  };
  let output: unknown = left;
  for (let invocation = 1; output === left; invocation++) {
    const action = AssignedAction.create({
      taskRunExternalId: 'task',
      durableTaskInvocationCount: invocation,
      actionPayload: '{}',
    });
    const attempt = new Attempt('task', 'task');
    output = await tasks.run(
      durable,
      { input: {}, action, payload: parseActionPayload('{}'), abort: attempt, host },
      {
        workflowRunId: 'run',
        taskRunExternalId: 'task',
        workerId: 'worker',
        signal: attempt.abortController.signal,
        nextChildIndex: 0,
      },
    );
  }
  expect(output).toBe('done');
}, 60_000);
