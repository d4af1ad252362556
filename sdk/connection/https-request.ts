import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import type { ClientConfig } from '../config/client-config.ts';
import { tlsMaterial } from './tls-material.ts';

export interface HttpAnswer {
  status: number;
  text: string;
}

export interface HttpRequest {
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
}

/** One for each client: handshakes are costly, and its files are read once. */
const agents = new WeakMap<ClientConfig, Agent>();

/** Whether an authority, a certificate or a name of the client's own counts: `fetch` takes none of them. */
export function hasOwnTls({ apiUrl, tls }: ClientConfig): boolean {
  return (
    apiUrl.startsWith('https:') && (tls.caFile !== undefined || tls.serverName !== undefined || tls.strategy === 'mtls')
  );
}

/** @throws HatchetError NOT_CONFIGURED; whatever the connection fails with */
export function requestWithOwnTls(
  config: ClientConfig,
  url: URL,
  { method, headers, body, signal }: HttpRequest,
): Promise<HttpAnswer> {
  let agent = agents.get(config);
  if (agent === undefined) {
    agent = new Agent({ keepAlive: true, ...ownTls(config, url) });
    agents.set(config, agent);
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        agent,
        signal,
        headers: body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The name that the server's certificate must carry counts where both ports are one host's. */
function ownTls(config: ClientConfig, url: URL): object {
  const { servername, ...material } = tlsMaterial(config.tls);
  const host = config.hostPort.replace(/:\d+$/, '');
  return servername === undefined || host !== url.hostname || isIP(servername) !== 0
    ? material
    : { ...material, servername };
}
