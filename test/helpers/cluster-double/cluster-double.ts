import type { AddressInfo } from 'node:net';
import { Client, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { RunningEngine } from '../../../engine/index.ts';
import { AdminServiceClient, CreateWorkflowVersionRequest } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { ClusterRest } from './cluster-rest.ts';
import { serveContract } from './contract-services.ts';
import { DoubleState, nowhere } from './double-state.ts';

/** The engine behind the double. */
export type EngineBehind = Pick<RunningEngine, 'grpc' | 'http' | 'token'>;

const messageLimit = 64 * 1024 * 1024;
const options = { 'grpc.max_receive_message_length': messageLimit, 'grpc.max_send_message_length': messageLimit };

/**
 * Stands before an engine of ours and behaves as a Hatchet cluster (v0.104) was seen to: it has none of our services and
 * honours none of our metadata; every durable message is handled on its own, so that answers come in any order; what a
 * cluster only logs is never answered; REST has its shapes, status codes and errors; a rate limit must have been put
 * before a workflow names it; a workflow that nobody knows gets a run id that leads nowhere.
 */
export class ClusterDouble {
  /** What tests make go wrong. */
  readonly state: DoubleState;
  readonly #server: Server;
  readonly #upstream: Client;
  readonly #rest: ClusterRest;
  readonly #port: number;

  private constructor(parts: {
    state: DoubleState;
    server: Server;
    upstream: Client;
    rest: ClusterRest;
    port: number;
  }) {
    this.state = parts.state;
    this.#server = parts.server;
    this.#upstream = parts.upstream;
    this.#rest = parts.rest;
    this.#port = parts.port;
  }

  static async start(engine: EngineBehind): Promise<ClusterDouble> {
    await registerNowhere(engine);
    const state = new DoubleState();
    const upstream = new Client(hostPortOf(engine.grpc), credentials.createInsecure(), options);
    const server = new Server(options);
    serveContract(server, upstream, state);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    return new ClusterDouble({
      state,
      server,
      upstream,
      rest: await ClusterRest.start(`http://${hostPortOf(engine.http)}`, state),
      port,
    });
  }

  get hostPort(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get apiUrl(): string {
    const { port }: AddressInfo = this.#rest.address;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
    this.#upstream.close();
    await this.#rest.stop();
  }
}

function hostPortOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`;
}

async function registerNowhere({ grpc, token }: EngineBehind): Promise<void> {
  const admin = new AdminServiceClient(hostPortOf(grpc), credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `bearer ${token}`);
  const workflow = CreateWorkflowVersionRequest.fromPartial({
    name: nowhere,
    tasks: [{ readableId: 'never', action: `${nowhere}:never`, timeout: '60s', inputs: '{}' }],
  });
  try {
    await new Promise<void>((resolve, reject) =>
      admin.putWorkflow(workflow, metadata, (error) => (error === null ? resolve() : reject(error))),
    );
  } finally {
    admin.close();
  }
}
