import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { movedTrailer, passOnDuplex } from '../../../../engine/grpc/calls/pass-on.ts';
import { raw, rawRequest } from '../../../../engine/grpc/calls/raw-message.ts';
import { StreamRequests } from '../../../../engine/grpc/calls/stream-requests.ts';
import { notTaken } from '../../../../engine/replicas/routes-to-peers.ts';
import {
  V1DispatcherClient,
  V1DispatcherService,
  type DurableTaskRequest,
  type DurableTaskResponse,
} from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';

type Stream = ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>;

const servers: Server[] = [];
const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) server.forceShutdown();
});

async function listen(definition: ServiceDefinition, implementation: UntypedServiceImplementation): Promise<string> {
  const server = new Server();
  servers.push(server);
  server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return `127.0.0.1:${port}`;
}

/** An engine that does as the given handler with durable streams. */
async function engine(durableTask: (call: Stream) => void): Promise<Client> {
  const unserved = (): void => undefined;
  const address = await listen(V1DispatcherService, {
    durableTask,
    registerDurableEvent: unserved,
    listenForDurableEvent: unserved,
  });
  const client = new Client(address, credentials.createInsecure());
  clients.push(client);
  return client;
}

/** Its shard is with another engine: it says so once it has been sent something. */
function moved(call: Stream): void {
  call.once('data', () => {
    const metadata = new Metadata();
    metadata.set(movedTrailer, '1');
    call.emit('error', { code: status.UNAVAILABLE, details: 'moved', metadata });
  });
}

/** An engine that passes streams on to the given ones, in turn, until one takes them. */
async function front(peers: readonly Client[]): Promise<V1DispatcherClient> {
  const unserved = (): void => undefined;
  const address = await listen(raw(V1DispatcherService), {
    durableTask: (call: ServerDuplexStream<unknown, unknown>) => {
      const requests = new StreamRequests();
      call.on('data', (request) => requests.come(rawRequest(request)));
      const passage = {
        path: V1DispatcherService.durableTask.path,
        forwardedFor: '',
        requests,
        isHalfClosed: () => false,
      };
      const passOn = async (): Promise<void> => {
        for (const peer of peers) if ((await passOnDuplex(peer, call, passage)) !== notTaken) return void call.end();
      };
      passOn().catch((error: Error) => call.emit('error', error));
    },
    registerDurableEvent: unserved,
    listenForDurableEvent: unserved,
  });
  const client = new V1DispatcherClient(address, credentials.createInsecure());
  clients.push(client);
  return client;
}

function register(workerId: string): DurableTaskRequest {
  return { message: { $case: 'registerWorker', value: { workerId } } };
}

/** Answers every worker that registers, and ends after the given number. */
function answering(most: number): (call: Stream) => void {
  return (call) => {
    let left = most;
    call.on('data', ({ message }: DurableTaskRequest) => {
      if (message?.$case !== 'registerWorker') return;
      call.write({ message });
      if (--left === 0) call.end();
    });
  };
}

it('what a stream was sent goes to the next engine where the first one has not taken it', async () => {
  const stream = (await front([await engine(moved), await engine(answering(2))])).durableTask();
  const said: string[] = [];
  stream.write(register('one'));
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('end', resolve);
    stream.on('data', ({ message }: DurableTaskResponse) => {
      if (message?.$case !== 'registerWorker') return;
      said.push(message.value.workerId);
      if (said.length === 1) stream.write(register('two'));
    });
  });
  expect(said).toEqual(['one', 'two']);
});

it('a stream that was answered goes to no other engine', async () => {
  const answersThenMoves = (call: Stream): void => {
    call.once('data', (request: DurableTaskRequest) => {
      if (request.message?.$case === 'registerWorker') call.write({ message: request.message });
      moved(call);
    });
  };
  const stream = (await front([await engine(answersThenMoves), await engine(answering(1))])).durableTask();
  stream.write(register('one'));
  const code = await new Promise((resolve) => {
    stream.once('data', () => stream.write(register('two')));
    stream.on('error', (error) => resolve('code' in error ? error.code : error));
  });
  expect(code).toBe(status.UNAVAILABLE);
});
