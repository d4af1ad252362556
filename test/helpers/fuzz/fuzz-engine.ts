import { request as httpRequest, Agent } from 'node:http';
import { Client, credentials, Metadata, status, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import { pathOf } from './fuzz-grpc.ts';
import type { RestRequest } from './fuzz-rest.ts';

/** How a request ended: a gRPC code's name, an HTTP status, or `cut` where its answer was lost. */
export interface Answer {
  outcome: string;
  ms: number;
}

/** A call that stays open is cut after this. */
const streamMs = 20;
/** Far beyond what any call may take: one that reaches it hangs. */
const deadlineMs = 60_000;

/** Sends raw requests over gRPC and HTTP. */
export class FuzzClient {
  readonly #client: Client;
  readonly #agent = new Agent({ keepAlive: false, maxSockets: 64 });
  readonly #httpPort: number;
  readonly #token: string;

  constructor(engine: { grpcPort: number; httpPort: number; token: string }) {
    this.#client = new Client(`127.0.0.1:${engine.grpcPort}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
    this.#httpPort = engine.httpPort;
    this.#token = engine.token;
  }

  /** @param requests more than one where the client streams */
  async grpc(method: DescMethod, requests: readonly Buffer[]): Promise<Answer> {
    const startedAt = performance.now();
    const outcome = await this.#grpc(method, requests);
    return { outcome, ms: performance.now() - startedAt };
  }

  async rest(request: RestRequest): Promise<Answer> {
    const startedAt = performance.now();
    const outcome = await new Promise<string>((resolve) => {
      const sent = httpRequest(
        {
          host: '127.0.0.1',
          port: this.#httpPort,
          method: request.method,
          path: request.path,
          agent: this.#agent,
          headers: { authorization: `Bearer ${this.#token}`, ...request.headers },
        },
        (response) => {
          // Cut by us: it was open and well.
          if (response.headers['content-type'] === 'text/event-stream')
            setTimeout(() => {
              resolve(String(response.statusCode));
              sent.destroy();
            }, streamMs);
          response.resume();
          response.on('end', () => resolve(String(response.statusCode)));
          response.on('error', (error) => resolve(`broken: ${error.message}`));
        },
      );
      // A large body that nobody reads: the server may have answered, whatever that was, and closed in its middle.
      sent.on('error', (error) => resolve((request.body?.length ?? 0) > 65_536 ? 'cut' : `broken: ${error.message}`));
      sent.on('socket', (socket) => socket.on('error', () => undefined));
      sent.setTimeout(deadlineMs, () => sent.destroy(new Error('no answer')));
      sent.end(request.body);
    });
    return { outcome, ms: performance.now() - startedAt };
  }

  close(): void {
    this.#client.close();
    this.#agent.destroy();
  }

  #grpc(method: DescMethod, requests: readonly Buffer[]): Promise<string> {
    const path = pathOf(method);
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${this.#token}`);
    const same = (bytes: Buffer): Buffer => bytes;
    const options = { deadline: Date.now() + deadlineMs };
    const [first = Buffer.alloc(0)] = requests;
    const nameOf = (error: ServiceError | null): string =>
      error === null ? 'OK' : (status[error.code] ?? String(error.code));
    if (method.methodKind === 'unary')
      return new Promise(
        (resolve) =>
          void this.#client.makeUnaryRequest(path, same, same, first, metadata, options, (error) =>
            resolve(nameOf(error)),
          ),
      );
    return new Promise((resolve) => {
      const watch = (call: ClientReadableStream<Buffer>): void => {
        const timer = setTimeout(() => call.cancel(), streamMs);
        call.on('data', () => undefined);
        call.on('end', () => {
          clearTimeout(timer);
          resolve('OK');
        });
        call.on('error', (error: ServiceError) => {
          clearTimeout(timer);
          // Cut by us: it was open and well.
          resolve(error.code === status.CANCELLED ? 'OK' : nameOf(error));
        });
      };
      if (method.methodKind === 'server_streaming')
        return watch(this.#client.makeServerStreamRequest(path, same, same, first, metadata, options));
      const call = this.#client.makeBidiStreamRequest(path, same, same, metadata, options);
      watch(call);
      for (const request of requests) call.write(request);
    });
  }
}
