import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { splitHostPort } from '../net/bind-address.ts';
import type { Peer } from '../model/replica.ts';
import { peerContext, type OwnCertificate } from './peer-clients.ts';
import { notTaken } from './routes-to-peers.ts';

export interface PassedRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer | Readable;
}

type Connections = { agent: HttpAgent | HttpsAgent; isTls: boolean };

/** HTTP requests to the other engines on this database. */
export class PeerRequests {
  readonly #certificateOf: (id: string) => Promise<string | null>;
  readonly #own: () => OwnCertificate | undefined;
  readonly #connections = new Map<string, Promise<Connections>>();

  /** @param options as those of `PeerClients` */
  constructor(options: {
    certificateOf: (id: string) => Promise<string | null>;
    own: () => OwnCertificate | undefined;
  }) {
    this.#certificateOf = options.certificateOf;
    this.#own = options.own;
  }

  /** @returns `notTaken` where the peer cannot be reached. @throws Error for a connection that was lost later */
  async send(peer: Peer, passed: PassedRequest): Promise<IncomingMessage | typeof notTaken> {
    const { agent, isTls } = await this.#to(peer);
    const { host, port } = splitHostPort(peer.http);
    const { method, path, headers, body } = passed;
    const options = { agent, host, port, method, path, headers: { ...headers, host: peer.http } };
    return new Promise((resolve, reject) => {
      let isSent = false;
      const answered = (response: IncomingMessage): void => {
        if (!Buffer.isBuffer(body) && !request.writableEnded) leaveRest(body, request, response);
        resolve(response);
      };
      const request = isTls ? httpsRequest(options, answered) : httpRequest(options, answered);
      const send = (): void => {
        isSent = true;
        if (Buffer.isBuffer(body)) request.end(body);
        else body.pipe(request);
      };
      request.on('error', (error) => {
        if (isSent) return reject(error);
        this.#forget(peer);
        resolve(notTaken);
      });
      // Nothing leaves before the connection stands: what cannot be sent is sent to whoever has the shard next.
      request.on('socket', (socket) => {
        if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', send);
        else send();
      });
    });
  }

  stop(): void {
    for (const connections of this.#connections.values())
      connections.then(({ agent }) => agent.destroy()).catch(() => undefined);
    this.#connections.clear();
  }

  #to(peer: Peer): Promise<Connections> {
    const known = this.#connections.get(peer.id);
    if (known !== undefined) return known;
    const opening = this.#open(peer);
    this.#connections.set(peer.id, opening);
    opening.catch(() => this.#connections.delete(peer.id));
    return opening;
  }

  #forget(peer: Peer): void {
    const known = this.#connections.get(peer.id);
    this.#connections.delete(peer.id);
    known?.then(({ agent }) => agent.destroy()).catch(() => undefined);
  }

  async #open(peer: Peer): Promise<Connections> {
    const certificate = await this.#certificateOf(peer.id);
    if (certificate === null) return { agent: new HttpAgent({ keepAlive: true }), isTls: false };
    const agent = new HttpsAgent({
      keepAlive: true,
      secureContext: peerContext(certificate, this.#own()),
      checkServerIdentity: () => undefined, // it is known by its certificate
    });
    return { agent, isTls: true };
  }
}

/**
 * A peer has answered before the end of the body: nobody reads the rest. It is taken from the client, whose connection would be held up
 * otherwise, and the connection to the peer ends with the answer.
 */
function leaveRest(body: Readable, request: ClientRequest, response: IncomingMessage): void {
  body.unpipe(request);
  body.resume();
  response.once('end', () => request.destroy());
}
