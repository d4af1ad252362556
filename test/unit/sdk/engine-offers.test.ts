import { Metadata, Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DispatcherService } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { WorkflowServiceService, type TriggerWorkflowResponse } from '../../../proto/gen/hatchet/contract/workflows.ts';
import { resolveConfig } from '../../../sdk/config/client-config.ts';
import type { ClientOptions } from '../../../sdk/config/client-options.ts';
import { Connection } from '../../../sdk/connection/connection.ts';
import { contractOnly, offersOf } from '../../../sdk/connection/engine-offers.ts';
import { callUnary } from '../../../sdk/connection/repeat-calls.ts';
import { startOne } from '../../../sdk/run/start-runs.ts';

/** The next answers to triggers; then they are answered. */
let losses: { code: status; details: string }[];
let triggers: (string | undefined)[];
let questions: number;
/** What the engine says that it offers; undefined where it does not know the question. */
let word: string | undefined;
let server: Server;
let port: number;
const connections: Connection[] = [];

beforeEach(async () => {
  losses = [];
  triggers = [];
  questions = 0;
  word = undefined;
  server = await serve(0);
});

afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  server.forceShutdown();
});

async function serve(wanted: number): Promise<Server> {
  const made = new Server();
  made.addService(
    { getVersion: DispatcherService.getVersion },
    {
      getVersion: (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<{ version: string }>) => {
        questions += 1;
        if (word === undefined) return answer({ code: status.UNIMPLEMENTED });
        const metadata = new Metadata();
        metadata.set('hatchet-ts-offers', word);
        call.sendMetadata(metadata);
        return answer(null, { version: 'v0.0.0' });
      },
    },
  );
  made.addService(
    { triggerWorkflow: WorkflowServiceService.triggerWorkflow },
    {
      triggerWorkflow: (
        call: ServerUnaryCall<TriggerWorkflowRequest, TriggerWorkflowResponse>,
        answer: sendUnaryData<TriggerWorkflowResponse>,
      ) => {
        triggers.push(call.metadata.get('hatchet-run-id')[0]?.toString());
        const loss = losses.shift();
        return loss === undefined ? answer(null, { workflowRunId: 'run' }) : answer(loss);
      },
    },
  );
  port = await new Promise<number>((resolve, reject) =>
    made.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return made;
}

function connect(options: ClientOptions = {}): Connection {
  const claims = Buffer.from(
    JSON.stringify({ sub: 'tenant', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: `127.0.0.1:${port}` }),
  ).toString('base64url');
  const connection = new Connection(
    resolveConfig({ token: `e30.${claims}.signature`, logLevel: 'OFF', ...options }, {}, () => undefined),
  );
  connections.push(connection);
  return connection;
}

const request: TriggerWorkflowRequest = { name: 'simple', input: '{}', desiredWorkerLabels: {} };
const lost = { code: status.UNAVAILABLE, details: 'read ECONNRESET' };

describe('the word of an engine', () => {
  it('is what its answer says, and nothing where it says nothing or does not know the question', async () => {
    const metadata = new Metadata();
    metadata.set('hatchet-ts-offers', 'run-ids, pipelined-requests,something-newer');
    expect(offersOf(metadata)).toEqual({ ...contractOnly, runIds: true, pipelinedRequests: true });
    expect(offersOf(new Metadata())).toEqual(contractOnly);
    expect(await connect().offers.ask()).toEqual(contractOnly);
  });

  it('is asked for once, by however many, and again by who has seen a failure since', async () => {
    word = 'run-ids';
    const { offers } = connect();
    await Promise.all([offers.ask(), offers.ask(), offers.ask()]);
    await offers.ask();
    expect(questions).toBe(1);
    word = '';
    expect(await offers.ask()).toMatchObject({ runIds: true });
    expect(await offers.ask({ since: performance.now() })).toMatchObject({ runIds: false });
    expect(questions).toBe(2);
  });
});

describe('a trigger whose answer was lost', () => {
  it('is made again under the same id where the engine knows runs by it', async () => {
    word = 'run-ids,unknown-workflows';
    losses = [lost];
    expect(await startOne(connect(), request)).toBe('run');
    expect(triggers).toHaveLength(2);
    expect(triggers[0]).toBe(triggers[1]);
  });

  it.each([
    ['does not say so', ''],
    ['does not know the question', undefined],
  ])('is not made again where the engine %s', async (_how, said) => {
    word = said;
    losses = [lost];
    await expect(startOne(connect(), request)).rejects.toMatchObject({
      code: 'NO_ANSWER',
      message: expect.stringContaining('may have been carried out'),
    });
    expect(triggers).toHaveLength(1);
  });

  it('is made again there where the client takes the risk of two runs, and where the server has not taken it up', async () => {
    losses = [lost];
    expect(await startOne(connect({ repeatLostTriggers: true }), request)).toBe('run');
    losses = [{ code: status.UNAVAILABLE, details: 'Stream refused by server' }];
    expect(await startOne(connect(), request)).toBe('run');
    expect(triggers).toHaveLength(4);
  });

  it('is made again there while nobody listens: it has never left', async () => {
    server.forceShutdown();
    const started = startOne(connect(), request);
    await new Promise((resolve) => setTimeout(resolve, 300));
    server = await serve(port);
    expect(await started).toBe('run');
    expect(triggers).toHaveLength(1);
  });
});

describe('a call that carries no identity', () => {
  const turnedAway = { code: status.UNAVAILABLE, details: 'Stream refused by server' };
  const call = (connection: Connection): Promise<TriggerWorkflowResponse> =>
    callUnary(connection, connection.workflows.triggerWorkflow.bind(connection.workflows), request);

  it('is made again where a server that stops has not taken it up, and nowhere else', async () => {
    losses = [turnedAway, turnedAway];
    expect(await call(connect())).toEqual({ workflowRunId: 'run' });
    expect(triggers).toHaveLength(3);
    losses = [lost];
    await expect(call(connect())).rejects.toMatchObject(lost);
    expect(triggers).toHaveLength(4);
  });

  it('is given up where no server takes it up', async () => {
    losses = Array.from({ length: 1_000 }, () => turnedAway);
    await expect(call(connect())).rejects.toMatchObject(turnedAway);
    expect(triggers.length).toBeGreaterThan(2);
  });
});
