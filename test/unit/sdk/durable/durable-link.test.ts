import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  V1DispatcherService,
  type DurableTaskRequest,
  type DurableTaskResponse,
} from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { TriggerWorkflowRequest } from '../../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { Connection } from '../../../../sdk/connection/connection.ts';
import { resolveConfig } from '../../../../sdk/config/client-config.ts';
import { DurableLink } from '../../../../sdk/durable/durable-link.ts';
import { Invocation } from '../../../../sdk/durable/invocation.ts';
import { statusMessages, statusNodes } from '../../../../sdk/durable/worker-status.ts';
import { patient } from '../../../helpers/patient.ts';

type Stream = ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>;
type Said = NonNullable<DurableTaskRequest['message']>;

/** What the worker says, stream by stream. It is answered as an engine does that never has a result. */
interface Heard {
  stream: Stream;
  said: Said[];
}

let server: Server;
let heard: Heard[];
/** Whether workers that name themselves are answered, so that their stream counts. */
let welcomes: boolean;
let connection: Connection;
let link: DurableLink;

beforeEach(async () => {
  heard = [];
  welcomes = true;
  let nodes = 0;
  const node = (): bigint => BigInt(++nodes);
  const durableTask = (stream: Stream): void => {
    const own: Heard = { stream, said: [] };
    heard.push(own);
    const metadata = new Metadata();
    metadata.set('hatchet-ts-offers', 'pipelined-requests');
    stream.sendMetadata(metadata);
    stream.on('error', () => {});
    stream.on('data', ({ message }: DurableTaskRequest) => {
      if (message === undefined) return;
      own.said.push(message);
      if (message.$case === 'registerWorker' && welcomes) welcome(own);
      if (message.$case === 'waitFor')
        stream.write({
          message: { $case: 'waitForAck', value: { ref: { ...message.value, branchId: 1n, nodeId: node() } } },
        });
      if (message.$case === 'memo')
        stream.write({
          message: {
            $case: 'memoAck',
            value: { ref: { ...message.value, branchId: 1n, nodeId: node() }, memoAlreadyExisted: false },
          },
        });
      if (message.$case === 'triggerRuns')
        stream.write({
          message: {
            $case: 'triggerRunsAck',
            value: {
              ...message.value,
              runEntries: message.value.triggerOpts.map(() => ({
                branchId: 1n,
                nodeId: node(),
                workflowRunExternalId: `run ${nodes}`,
              })),
            },
          },
        });
      if (message.$case === 'evictInvocation')
        stream.write({ message: { $case: 'evictionAck', value: message.value } });
    });
  };
  const implementation: UntypedServiceImplementation = { durableTask };
  server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService({ durableTask: V1DispatcherService.durableTask }, implementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const claims = Buffer.from(
    JSON.stringify({ sub: 'tenant', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: `127.0.0.1:${port}` }),
  ).toString('base64url');
  connection = new Connection(
    resolveConfig({ token: `e30.${claims}.signature`, logLevel: 'OFF' }, {}, () => undefined),
  );
  link = new DurableLink(connection, { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }, () => {});
  link.serve('worker');
});

afterEach(() => {
  link.stop();
  connection.close();
  server.forceShutdown();
});

function welcome({ stream }: Heard): void {
  stream.write({ message: { $case: 'registerWorker', value: { workerId: 'worker' } } });
}

function begin(taskRunExternalId: string): Invocation {
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

const aDay = { sleepConditions: [{ base: undefined, sleepFor: '24h' }], userEventConditions: [] };

/** Begins an invocation that waits. */
async function waiter(id: string): Promise<Invocation> {
  const invocation = begin(id);
  void invocation.wait(aDay);
  await vi.waitFor(() => expect(invocation.waitsFor()).toHaveLength(1), patient);
  return invocation;
}

/** The worker's words without its name: of which kind, and of whom. */
function words(own: Heard | undefined): string[] {
  return (own?.said ?? []).map((message) => {
    if (message.$case === 'workerStatus')
      return `waits ${message.value.waitingEntries.map((entry) => entry.durableTaskExternalId).join(' ')}`;
    if (message.$case === 'evictInvocation' || message.$case === 'waitFor')
      return `${message.$case} ${message.value.durableTaskExternalId}`;
    return message.$case;
  });
}

describe('a worker that comes back on a new durable stream', () => {
  it('says what it waits for before anything else, and of those that left meanwhile before it says that they did', async () => {
    const [stays, leaves] = [await waiter('stays'), await waiter('leaves')];
    welcomes = false;
    heard[0]?.stream.end();
    // The stream is there, and does not count yet.
    await vi.waitFor(() => expect(words(heard[1])).toEqual(['registerWorker']), patient);
    link.depart(leaves, 'its ttl is over');
    leaves.leave();
    void begin('asks').wait(aDay);
    const [back] = heard.slice(1);
    if (back === undefined) throw new Error('it did not come back');
    welcome(back);
    await link.departed();
    await vi.waitFor(() => expect(words(back)).toContain('waitFor asks'), patient);
    expect(words(back).slice(0, 5)).toEqual([
      'registerWorker',
      'waits stays',
      'waits leaves',
      'evictInvocation leaves',
      'waitFor asks',
    ]);
    expect(stays.waitsFor()).toHaveLength(1);
  });

  it('says of one that leaves while the stream is there what it waits for by then', async () => {
    const leaves = await waiter('leaves');
    void leaves.wait(aDay);
    await vi.waitFor(() => expect(leaves.waitsFor()).toHaveLength(2), patient);
    link.depart(leaves, 'its ttl is over');
    leaves.leave();
    await link.departed();
    expect(words(heard[0]).slice(-2)).toEqual(['waits leaves leaves', 'evictInvocation leaves']);
  });
});

describe('what a worker waits for', () => {
  it('goes in messages of so many nodes, each invocation whole', async () => {
    const children = 1_000;
    const count = statusNodes / children + 5;
    const invocations = Array.from({ length: count }, (_, n) => begin(`task ${n}`));
    for (const invocation of invocations)
      void invocation.spawn(Array.from({ length: children }, () => TriggerWorkflowRequest.create({ name: 'child' })));
    await vi.waitFor(
      () => expect(invocations.map((each) => each.waitsFor().length)).toEqual(invocations.map(() => children)),
      patient,
    );
    welcomes = false;
    heard[0]?.stream.end();
    await vi.waitFor(() => expect(words(heard[1])).toEqual(['registerWorker']), patient);
    const [back] = heard.slice(1);
    if (back === undefined) throw new Error('it did not come back');
    welcome(back);
    await vi.waitFor(() => expect(back.said.length).toBeGreaterThanOrEqual(3), patient);
    const messages = back.said
      .slice(1, 3)
      .map((message) => (message.$case === 'workerStatus' ? message.value.waitingEntries : []));
    expect(messages.map((entries) => entries.length)).toEqual([statusNodes, 5 * children]);
    const tasks = messages.map((entries) => new Set(entries.map((entry) => entry.durableTaskExternalId)));
    expect(tasks.map((each) => each.size)).toEqual([count - 5, 5]);
    expect(new Set(messages.flat().map((entry) => entry.nodeId)).size).toBe(count * children);
  }, 60_000);

  it('is said whole, though it is more than any other message may hold', async () => {
    const [calls, children] = [120, 1_000];
    const many = begin('01980000-0000-7000-8000-000000000000');
    const all = Array.from({ length: children }, () => TriggerWorkflowRequest.create({ name: 'child' }));
    for (let call = 0; call < calls; call++) void many.spawn(all);
    await vi.waitFor(
      () =>
        expect(
          heard[0]?.said.some(
            (message) => message.$case === 'workerStatus' && message.value.waitingEntries.length === calls * children,
          ),
        ).toBe(true),
      patient,
    );
    expect(heard).toHaveLength(1);
  }, 60_000);

  it('is said once the answers are there, not with each of them', async () => {
    const many = begin('many');
    const asked = Array.from({ length: 500 }, () => aDay);
    for (const conditions of asked) void many.wait(conditions);
    await vi.waitFor(
      () =>
        expect(
          heard[0]?.said.some(
            (message) => message.$case === 'workerStatus' && message.value.waitingEntries.length === asked.length,
          ),
        ).toBe(true),
      patient,
    );
    // One more of each second that it took.
    expect(words(heard[0]).filter((word) => word.startsWith('waits')).length).toBeLessThan(50);
  });

  it('is not said of what is begun on a stream that has lost nothing, but for each second', async () => {
    const many = Array.from({ length: 20 }, (_, n) => begin(`task ${n}`));
    await vi.waitFor(() => expect(link.offers).toBeDefined(), patient);
    const startedAt = performance.now();
    for (const each of many) {
      void each.wait(aDay);
      await vi.waitFor(() => expect(each.waitsFor()).toHaveLength(1), patient);
    }
    const said = words(heard[0]).filter((word) => word.startsWith('waits')).length;
    expect(said).toBeLessThanOrEqual(Math.ceil((performance.now() - startedAt) / 1_000));
  });

  it('is said at once by one that had nothing to say when the stream began: nothing is told to it before', async () => {
    await waiter('other');
    const memo = begin('memo');
    let computed: (json: string) => void = () => undefined;
    void memo.memo(
      Buffer.from('m'),
      () => new Promise((resolve) => (computed = resolve)),
      (json) => json,
    );
    await vi.waitFor(() => expect(words(heard[0])).toContain('memo'), patient);
    await vi.waitFor(() => expect(memo.hasUnanswered).toBe(false), patient);
    heard[0]?.stream.end();
    await vi.waitFor(() => expect(words(heard[1])).toContain('waits other'), patient);
    computed('1');
    await vi.waitFor(() => expect(words(heard[1]).some((word) => word.includes('memo'))).toBe(true), patient);
    // Alone: what is said each second is said of all.
    expect(words(heard[1])).toContain('waits memo');
  });

  it('is cut only between invocations', () => {
    const nodes = (task: string, count: number) =>
      Array.from({ length: count }, (_, n) => ({
        durableTaskExternalId: task,
        invocationCount: 1,
        branchId: 1n,
        nodeId: BigInt(n),
      }));
    const [a, b, c, none] = [nodes('a', 3), nodes('b', 2), nodes('c', 9), nodes('d', 0)];
    expect(statusMessages([], 4)).toEqual([]);
    expect(statusMessages([none], 4)).toEqual([]);
    expect(statusMessages([a, none, b, b, c, a], 4)).toEqual([a, [...b, ...b], c, a]);
  });
});
