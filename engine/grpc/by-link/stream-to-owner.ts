import { EventEmitter } from 'node:events';
import { Metadata, status, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import type { LinkStream } from '../../../link/engine-link.ts';
import { serviceError } from '../../../link/service-error.ts';
import {
  SessionServiceService,
  type ConnectRequest,
  type ConnectResponse,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { forwardedHeader } from '../../replicas/forwarded-for.ts';

/** Where a tenant's stream goes to. */
export interface OwnerOfTenant {
  /** The connection to the engine that has the tenant's shard, once that is known. @throws Error where it is not in time */
  connected(): Promise<Client | undefined>;
  authorization: string;
  /** Says that an engine passes this on. */
  forwardedFor: string;
}

const { path, requestSerialize, responseDeserialize } = SessionServiceService.connect;

/** A stream of a session to the engine that has a tenant's shard: what is written before it is open waits. */
export class StreamToOwner extends EventEmitter implements LinkStream {
  #early: ConnectRequest[] = [];
  #stream: ClientDuplexStream<ConnectRequest, ConnectResponse> | undefined;
  #isCancelled = false;

  constructor(owner: OwnerOfTenant) {
    super();
    this.#open(owner).catch((error: unknown) => this.#fail(error));
  }

  write(request: ConnectRequest): void {
    if (this.#stream === undefined) this.#early.push(request);
    else this.#stream.write(request);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#early = [];
    this.#stream?.cancel();
  }

  async #open(owner: OwnerOfTenant): Promise<void> {
    const client = await owner.connected();
    if (this.#isCancelled) return;
    if (client === undefined)
      throw serviceError({ code: status.UNAVAILABLE, details: 'the engine that has the tenant cannot be reached' });
    const metadata = new Metadata();
    metadata.set('authorization', owner.authorization);
    metadata.set(forwardedHeader, owner.forwardedFor);
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    this.#stream = stream;
    stream.on('data', (response: ConnectResponse) => this.emit('data', response));
    stream.on('end', () => this.emit('end'));
    stream.on('error', (error: Error) => this.#fail(error));
    for (const request of this.#early.splice(0)) stream.write(request);
  }

  #fail(error: unknown): void {
    // A cancelled stream ends with an error too, which nobody waits for.
    if (!this.#isCancelled) this.emit('error', error);
  }
}
