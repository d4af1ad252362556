import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { clusterAnswer } from './cluster-shapes.ts';
import { isNoEngine } from '../contract-answers.ts';
import type { DoubleState } from './double-state.ts';

/** The REST API of a cluster: the engine's, with a cluster's shapes and status codes. */
export class ClusterRest {
  readonly #server: Server;
  readonly #apiUrl: string;
  readonly #state: DoubleState;

  private constructor(apiUrl: string, state: DoubleState) {
    this.#apiUrl = apiUrl;
    this.#state = state;
    this.#server = createServer(
      (request, response) =>
        void this.#serve(request, response).catch((error: unknown) =>
          response.destroy(error instanceof Error ? error : undefined),
        ),
    );
    isNoEngine(this.#server);
  }

  static async start(apiUrl: string, state: DoubleState): Promise<ClusterRest> {
    const rest = new ClusterRest(apiUrl, state);
    await new Promise<void>((resolve) => rest.#server.listen(0, '127.0.0.1', resolve));
    return rest;
  }

  get address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the double does not listen');
    return address;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const body: unknown = method === 'GET' || method === 'DELETE' ? undefined : await json(request);
    const target = new URL(url, this.#apiUrl);
    const answer = await clusterAnswer(
      { method, path: target.pathname, query: target.searchParams, body },
      this.#state,
      async () => {
        const upstream = await fetch(target, {
          method,
          headers: { authorization: headers.authorization ?? '', 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await upstream.text();
        const parsed: unknown = text === '' ? undefined : JSON.parse(text);
        return { status: upstream.status, body: parsed };
      },
    );
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? '' : `${JSON.stringify(answer.body)}\n`);
  }
}
