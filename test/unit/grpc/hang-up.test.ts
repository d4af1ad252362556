import { once } from 'node:events';
import { credentials, Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { hangUp } from '../../../engine/grpc/hang-up.ts';
import { releaseOnceSent, sendMessage } from '../../../engine/grpc/send-message.ts';
import { ByteBudget } from '../../../engine/monitor/budget/byte-budget.ts';
import {
  ExportRunsResponse,
  GetRunResponse,
  MonitorServiceClient,
  MonitorServiceService,
  type ExportRunsRequest,
  type GetRunRequest,
} from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

const large = 'x'.repeat(8 * 1024 * 1024);

async function serve(handlers: {
  getRun?: (
    call: ServerUnaryCall<GetRunRequest, GetRunResponse>,
    answer: (error: null, response: GetRunResponse) => void,
  ) => void;
  exportRuns?: (call: ServerWritableStream<ExportRunsRequest, ExportRunsResponse>) => void;
}): Promise<MonitorServiceClient> {
  const server = new Server({ 'grpc.max_send_message_length': -1 });
  servers.push(server);
  server.addService(MonitorServiceService, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return new MonitorServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
}

it('gives room back once an answer is sent, not before', async () => {
  const budget = new ByteBudget(10);
  const during: number[] = [];
  let over = Promise.resolve<unknown>(undefined);
  const client = await serve({
    getRun: (call, answer) => {
      over = once(call, 'cancelled');
      void budget.reserve(7).then((reservation) => {
        releaseOnceSent(call, reservation);
        answer(null, GetRunResponse.fromPartial({ input: large }));
        during.push(budget.taken);
      });
    },
  });
  const input = await new Promise<string>((resolve, reject) =>
    client.getRun({ runId: '' }, (error, response) => (error === null ? resolve(response.input) : reject(error))),
  );
  await over;
  expect({ length: input.length, during, after: budget.taken }).toEqual({
    length: large.length,
    during: [7],
    after: 0,
  });
  client.close();
});

it('hangs up on a client that does not read, which frees what is written', async () => {
  const calls: { call: ServerWritableStream<ExportRunsRequest, ExportRunsResponse>; sent: Promise<void> }[] = [];
  const gone = new AbortController();
  const arrived = new Promise<void>((resolve) => {
    void serve({
      exportRuns: (call) => {
        call.on('cancelled', () => gone.abort());
        calls.push({
          call,
          sent: sendMessage(call, ExportRunsResponse.fromPartial({ input: large }), {
            bytes: large.length,
            signal: gone.signal,
          }),
        });
        resolve();
      },
    }).then((client) => {
      const stream = client.exportRuns({ filter: undefined });
      stream.on('error', () => client.close());
      stream.pause();
    });
  });
  await arrived;
  const [first] = calls;
  expect(hangUp(first?.call)).toBe(true);
  await first?.sent;
  expect(gone.signal.aborted).toBe(true);
});

it('says where there is no stream to reset', () => {
  expect(hangUp({ call: { nextCall: {} } })).toBe(false);
});
