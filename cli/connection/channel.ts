import {
  Metadata,
  type Client,
  type ChannelCredentials,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { channelCredentials, channelTls } from '../../sdk/connection/tls-material.ts';
import { fromServiceError, isServiceError } from '../output/server-error.ts';
import type { Connection } from './resolve-connection.ts';

/** A page of runs with their inputs can be large; the engine's own limit is the same. */
const longestMessage = 64 * 1024 * 1024;

const options: ClientOptions = {
  'grpc.max_receive_message_length': longestMessage,
  'grpc.max_send_message_length': longestMessage,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // A stopped engine that comes back is found again quickly.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

type ClientClass<C extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
) => C;

/** How long a call may take; a dead address is told from a slow one by it. */
const callLimitMs = 15_000;

/** A service of one engine, with the token on every call and errors in the CLI's words. */
export class Channel<C extends Client> {
  readonly #client: C;
  readonly #address: string;
  readonly #metadata: Metadata;

  constructor(client: ClientClass<C>, connection: Pick<Connection, 'address' | 'token' | 'tls'>) {
    this.#client = new client(connection.address, channelCredentials(connection.tls), {
      ...options,
      ...channelTls(connection.tls),
    });
    this.#address = connection.address;
    this.#metadata = new Metadata();
    this.#metadata.set('authorization', `bearer ${connection.token}`);
  }

  /** @throws ServerError */
  async call<Response>(
    send: (
      client: C,
      metadata: Metadata,
      options: { deadline: Date },
      callback: (error: ServiceError | null, response: Response) => void,
    ) => ClientUnaryCall,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const metadata = this.#metadata.clone();
    for (const [name, value] of Object.entries(extra)) metadata.set(name, value);
    try {
      return await new Promise<Response>((resolve, reject) => {
        send(this.#client, metadata, { deadline: new Date(Date.now() + callLimitMs) }, (error, response) =>
          error === null ? resolve(response) : reject(error),
        );
      });
    } catch (error) {
      throw isServiceError(error) ? fromServiceError(error, this.#address) : error;
    }
  }

  /** The messages of a stream until it ends, or the signal aborts. @throws ServerError */
  async *stream<Message>(
    open: (client: C, metadata: Metadata) => ClientReadableStream<Message>,
    signal: AbortSignal,
  ): AsyncGenerator<Message, void, undefined> {
    if (signal.aborted) return;
    const stream = open(this.#client, this.#metadata);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    try {
      const messages: AsyncIterable<Message> = stream;
      yield* messages;
    } catch (error) {
      if (signal.aborted) return;
      throw isServiceError(error) ? fromServiceError(error, this.#address) : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.on('error', () => undefined);
      stream.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}
