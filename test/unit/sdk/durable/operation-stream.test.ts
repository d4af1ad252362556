import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  V1DispatcherService,
  type DurableTaskRequest,
  type DurableTaskResponse,
} from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import {
  SessionServiceService,
  type ConnectRequest,
  type ConnectResponse,
} from '../../../../proto/gen/hatchet/session/v1/session.ts';
import { Connection } from '../../../../sdk/connection/connection.ts';
import { resolveConfig } from '../../../../sdk/config/client-config.ts';
import { DurableLink } from '../../../../sdk/durable/durable-link.ts';
import { Invocation } from '../../../../sdk/durable/invocation.ts';
import { patient } from '../../../helpers/patient.ts';

type Said = NonNullable<DurableTaskRequest['message']>;
type Answer = NonNullable<DurableTaskResponse['message']>;

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** An engine that has sessions; it answers waits, evictions and registrations, and never has a result. */
class Engine {
  /** What workers say on durable streams, by sessions and by the contract's. */
  readonly bySession: Said[] = [];
  readonly byContract: Said[] = [];
  engineId = 'first';
  /** Whether waits are answered. */
  answers = true;
  readonly #offers: string;
  #nodes = 0;
  #number = 0n;
  #open: ServerDuplexStream<ConnectRequest, ConnectResponse> | undefined;

  constructor(offers: string) {
    this.#offers = offers;
  }

  /** Ends the stream of the session. */
  cut(): void {
    this.#open?.end();
  }

  async serve(): Promise<Connection> {
    const server = new Server();
    server.addService(
      { connect: SessionServiceService.connect },
      { connect: (call: ServerDuplexStream<ConnectRequest, ConnectResponse>) => this.#connect(call) },
    );
    server.addService(
      { durableTask: V1DispatcherService.durableTask },
      { durableTask: (call: ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>) => this.#durableTask(call) },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    const claims = Buffer.from(
      JSON.stringify({ sub: 'tenant', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: `127.0.0.1:${port}` }),
    ).toString('base64url');
    const config = resolveConfig({ token: `e30.${claims}.signature`, logLevel: 'OFF' }, {}, () => undefined);
    const connection = new Connection(config);
    stops.push(() => {
      connection.close();
      server.forceShutdown();
    });
    return connection;
  }

  #connect(call: ServerDuplexStream<ConnectRequest, ConnectResponse>): void {
    this.#open = call;
    call.on('error', () => undefined);
    const write = (response: Partial<ConnectResponse>): void => void call.write({ ...emptyResponse, ...response });
    call.on('data', (frame: ConnectRequest) => {
      if (frame.hello !== undefined) {
        if (frame.hello.engineId !== this.engineId) this.#number = 0n;
        const limits = { mostCommands: 4_000, mostBytes: 16_000_000 };
        return write({ welcome: { engineId: this.engineId, ...limits, offers: this.#offers } });
      }
      if (frame.number === 0n) return;
      const durable = frame.durable.map(({ workerId, requests }) => ({
        workerId,
        responses: requests
          .flatMap(({ message }) => this.#answer(message, this.bySession))
          .map((message) => ({ message })),
        details: '',
      }));
      write({ number: ++this.#number, done: [frame.number], durable });
    });
  }

  #durableTask(call: ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>): void {
    const metadata = new Metadata();
    metadata.set('hatchet-ts-offers', 'pipelined-requests');
    call.sendMetadata(metadata);
    call.on('error', () => undefined);
    call.on('data', ({ message }: DurableTaskRequest) => {
      for (const answer of this.#answer(message, this.byContract)) call.write({ message: answer });
    });
  }

  #answer(message: Said | undefined, said: Said[]): Answer[] {
    if (message === undefined) return [];
    said.push(message);
    if (message.$case === 'registerWorker') return [{ $case: 'registerWorker', value: message.value }];
    if (message.$case === 'evictInvocation') return [{ $case: 'evictionAck', value: message.value }];
    if (message.$case !== 'waitFor' || !this.answers) return [];
    return [{ $case: 'waitForAck', value: { ref: { ...message.value, branchId: 1n, nodeId: BigInt(++this.#nodes) } } }];
  }
}

const emptyResponse: ConnectResponse = {
  welcome: undefined,
  number: 0n,
  done: [],
  refusals: [],
  otherRuns: [],
  assigned: [],
  detached: [],
  ended: [],
  tasks: [],
  durable: [],
};

const aDay = { sleepConditions: [{ base: undefined, sleepFor: '24h' }], userEventConditions: [] };

function linkOf(connection: Connection, dismissed: string[] = []): DurableLink {
  const link = new DurableLink(
    connection,
    { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    ({ taskRunExternalId }) => void dismissed.push(taskRunExternalId),
  );
  stops.unshift(() => link.stop());
  link.serve('worker');
  return link;
}

function begin(link: DurableLink, taskRunExternalId: string): Invocation {
  const invocation = new Invocation({
    taskRunExternalId,
    invocationCount: 1,
    pipelined: true,
    canLeave: true,
    onAsked: (asker) => link.flush(asker),
    onWaiting: (waiter) => link.saySoon(waiter),
    onComputed: () => {},
  });
  link.add(invocation);
  return invocation;
}

function words(said: readonly Said[]): string[] {
  return said.map((message) => {
    if (message.$case === 'workerStatus')
      return `waits ${message.value.waitingEntries.map((entry) => entry.durableTaskExternalId).join(' ')}`;
    if (message.$case === 'evictInvocation' || message.$case === 'waitFor')
      return `${message.$case} ${message.value.durableTaskExternalId}`;
    return message.$case;
  });
}

describe("a worker's durable operations", () => {
  it('go by the session of an engine that offers it, and its offers come with the welcome', async () => {
    const engine = new Engine('pipelined-requests,evictions,durable-sessions');
    const link = linkOf(await engine.serve());
    const invocation = begin(link, 'task');
    void invocation.wait(aDay);
    await vi.waitFor(() => expect(invocation.waitsFor()).toHaveLength(1), patient);
    expect(words(engine.bySession)).toEqual(['registerWorker', 'waitFor task']);
    expect(engine.byContract).toEqual([]);
    expect(link.offers).toMatchObject({ pipelinedRequests: true, evictions: true, continueAsNew: false });
  });

  it("go by the contract's stream at an engine that has sessions, and does not carry them by these", async () => {
    const engine = new Engine('');
    const link = linkOf(await engine.serve());
    const invocation = begin(link, 'task');
    void invocation.wait(aDay);
    await vi.waitFor(() => expect(invocation.waitsFor()).toHaveLength(1), patient);
    expect(words(engine.byContract)).toEqual(['registerWorker', 'waitFor task']);
    expect(engine.bySession).toEqual([]);
  });

  it('survive a cut: what is asked meanwhile goes once the link is back, and nobody leaves', async () => {
    const engine = new Engine('pipelined-requests,evictions,durable-sessions');
    const connection = await engine.serve();
    const dismissed: string[] = [];
    const link = linkOf(connection, dismissed);
    const [asks, waits] = [begin(link, 'asks'), begin(link, 'waits')];
    void waits.wait(aDay);
    await vi.waitFor(() => expect(waits.waitsFor()).toHaveLength(1), patient);
    engine.cut();
    await vi.waitFor(() => expect(connection.link.isOpen).toBe(false), patient);
    void asks.wait(aDay);
    await vi.waitFor(() => expect(asks.waitsFor()).toHaveLength(1), patient);
    expect(words(engine.bySession)).toEqual(['registerWorker', 'waitFor waits', 'waits waits', 'waitFor asks']);
    expect(dismissed).toEqual([]);
  });

  it('are lost with a session that is forgotten: who waits for an answer leaves, and who does not says what it waits for', async () => {
    const engine = new Engine('pipelined-requests,evictions,durable-sessions');
    const connection = await engine.serve();
    const dismissed: string[] = [];
    const link = linkOf(connection, dismissed);
    const [asks, waits] = [begin(link, 'asks'), begin(link, 'waits')];
    void waits.wait(aDay);
    await vi.waitFor(() => expect(waits.waitsFor()).toHaveLength(1), patient);
    engine.answers = false;
    void asks.wait(aDay);
    await vi.waitFor(() => expect(words(engine.bySession)).toContain('waitFor asks'), patient);
    const before = engine.bySession.length;
    engine.engineId = 'second';
    engine.cut();
    await vi.waitFor(() => expect(words(engine.bySession.slice(before))).toContain('evictInvocation asks'), patient);
    expect(words(engine.bySession.slice(before))).toEqual(['registerWorker', 'waits waits', 'evictInvocation asks']);
    expect(dismissed).toEqual(['asks']);
    expect(waits.waitsFor()).toHaveLength(1);
  });
});
