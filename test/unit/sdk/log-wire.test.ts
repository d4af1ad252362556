import { setMaxListeners } from 'node:events';
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  EventsServiceService,
  type PutLogRequest,
  type PutLogResponse,
} from '../../../proto/gen/hatchet/contract/events.ts';
import {
  CommandKind,
  SessionServiceService,
  type ConnectRequest,
  type ConnectResponse,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { resolveConfig } from '../../../sdk/config/client-config.ts';
import { Connection } from '../../../sdk/connection/connection.ts';
import { LogWire, type TaskLine } from '../../../sdk/worker/logs/log-wire.ts';

const token = `e30.${Buffer.from(JSON.stringify({ sub: '00000000-0000-0000-0000-000000000000', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: '127.0.0.1:1' })).toString('base64url')}.x`;
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

type PutLog = (call: ServerUnaryCall<PutLogRequest, PutLogResponse>, answer: sendUnaryData<PutLogResponse>) => void;

/** A server that has the contract's calls and no others. */
async function contractServer(putLog: PutLog): Promise<Connection> {
  const others = Object.fromEntries(
    Object.keys(EventsServiceService).map((name) => [
      name,
      (_call: unknown, answer: sendUnaryData<never>) => answer({ code: status.UNIMPLEMENTED }),
    ]),
  );
  return await connectedTo((server) => server.addService(EventsServiceService, { ...others, putLog }));
}

/** A server that has sessions and no calls, and refuses lines with the status that is given for them. */
async function sessionServer(refuse: (message: string) => status | undefined): Promise<Connection> {
  const connect = (call: ServerDuplexStream<ConnectRequest, ConnectResponse>): void => {
    let number = 0n;
    const write = (response: Partial<ConnectResponse>): void => void call.write({ ...emptyResponse, ...response });
    call.on('data', (frame: ConnectRequest) => {
      if (frame.hello !== undefined)
        return write({ welcome: { engineId: 'engine', mostCommands: 4_000, mostBytes: 16_000_000, offers: '' } });
      if (frame.number === 0n) return;
      const refusals = frame.lines.flatMap(({ message }, index) => {
        const code = refuse(message);
        const kind = CommandKind.COMMAND_KIND_LINE;
        const errorCode = code === status.RESOURCE_EXHAUSTED ? 'BUSY' : '';
        return code === undefined
          ? []
          : [{ frame: frame.number, kind, index, status: code, details: 'no', errorCode, statusDetails: noBytes }];
      });
      write({ number: ++number, done: [frame.number], refusals });
    });
    call.on('error', () => undefined);
  };
  return await connectedTo((server) => server.addService(SessionServiceService, { connect }));
}

const noBytes = Buffer.alloc(0);
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

async function connectedTo(addServices: (server: Server) => void): Promise<Connection> {
  const server = new Server();
  addServices(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const connection = new Connection(resolveConfig({ token, hostPort: `127.0.0.1:${port}` }, {}, () => undefined));
  stops.push(() => {
    connection.close();
    server.forceShutdown();
  });
  return connection;
}

function lines(count: number): TaskLine[] {
  return Array.from({ length: count }, (_, index) => ({
    at: new Date(0),
    level: 'INFO',
    message: String(index),
    metadata: '{}',
    taskRunExternalId: 'a',
    retryCount: 2,
  }));
}

/** As the sender has it: every call under way listens. */
function manyListeners(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}

describe('where the engine has only the call of the contract', () => {
  it('lines go out one behind the other, some at once, and arrive in their order', async () => {
    const arrived: PutLogRequest[] = [];
    let inFlight = 0;
    let most = 0;
    const connection = await contractServer(({ request }, answer) => {
      arrived.push(request);
      most = Math.max(most, ++inFlight);
      setImmediate(() => {
        inFlight -= 1;
        answer(null, {});
      });
    });
    const wire = new LogWire(connection);
    const signal = manyListeners();
    for (const batch of [lines(500), lines(500)])
      expect(await wire.put(batch, signal)).toEqual({ refused: undefined, again: [], failure: undefined });
    expect(arrived.map(({ message }) => Number(message))).toEqual([...Array(500).keys(), ...Array(500).keys()]);
    expect(arrived[0]).toMatchObject({ taskRunExternalId: 'a', taskRetryCount: 2, level: 'INFO' });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(64);
  });

  it('a line that is refused is left out alone, and what fails is to be sent again in its order', async () => {
    const arrived: string[] = [];
    let isAway = true;
    const connection = await contractServer(({ request: { message } }, answer) => {
      if (message === '3') answer({ code: status.INVALID_ARGUMENT, details: 'no' });
      else if (isAway && Number(message) >= 5) answer({ code: status.UNAVAILABLE, details: 'away' });
      else {
        arrived.push(message);
        answer(null, {});
      }
    });
    const wire = new LogWire(connection);
    const signal = manyListeners();
    const all = lines(200);
    const first = await wire.put(all, signal);
    expect(first.refused?.count).toBe(1);
    expect(first.again).toEqual(all.slice(5));
    isAway = false;
    expect(await wire.put(first.again, signal)).toMatchObject({ refused: undefined, again: [] });
    expect(arrived).toEqual([...Array(200).keys()].filter((index) => index !== 3).map(String));
  });
});

describe('where the engine has sessions', () => {
  it('a line that is refused is left out alone, and one that fails is to be sent again', async () => {
    const codes = new Map([
      ['3', status.INVALID_ARGUMENT],
      ['5', status.RESOURCE_EXHAUSTED],
      ['8', status.INTERNAL],
      ['9', status.PERMISSION_DENIED],
    ]);
    const wire = new LogWire(await sessionServer((message) => codes.get(message)));
    const all = lines(20);
    const first = await wire.put(all, manyListeners());
    expect(first.refused?.count).toBe(2);
    expect(first.again).toEqual([all[5], all[8]]);
    codes.clear();
    expect(await wire.put(first.again, manyListeners())).toEqual({ refused: undefined, again: [], failure: undefined });
  });

  it('a line that the engine fails to store is given up after ten tries, whatever is stored beside it', async () => {
    const wire = new LogWire(await sessionServer((message) => (message === '1' ? status.INTERNAL : undefined)));
    const [zero, one, two] = lines(3);
    if (zero === undefined || one === undefined || two === undefined) throw new Error('three lines were asked for');
    for (let tries = 1; tries < 10; tries++)
      expect(await wire.put([zero, one, two], manyListeners())).toMatchObject({ refused: undefined, again: [one] });
    expect(await wire.put([one, two], manyListeners())).toMatchObject({ refused: { count: 1 }, again: [] });
  });
});
