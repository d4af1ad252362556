import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { HatchetError } from '../errors.ts';
import {
  detailsOf,
  distrusted,
  isDistrusted,
  isPlainServer,
  isRefusedClient,
  isServiceError,
  refusedClient,
} from './call-error.ts';
import type { ClientConfig } from '../config/client-config.ts';

/** A handshake takes a round trip or two; a server that says nothing for so long is no proof of anything. */
const handshakeMs = 3_000;

/** What is known of a connection. */
interface Known {
  readonly config: Pick<ClientConfig, 'hostPort' | 'tls'>;
  readonly hasAnswered: boolean;
}

/**
 * Whether a call failed because one side speaks TLS and the other does not, or because one refuses the other's certificate:
 * no patience mends that. Only where nothing has
 * ever been answered: afterwards it is known that the two fit, whatever a proxy says while the engine is away.
 * A server that is not there or closes at once, as one that is starting, is no mismatch.
 */
export async function tlsMismatch(connection: Known, error: unknown): Promise<HatchetError | undefined> {
  if (connection.hasAnswered || !isServiceError(error) || error.code !== status.UNAVAILABLE) return undefined;
  const { hostPort, tls } = connection.config;
  if (isPlainServer(error))
    return new HatchetError('UNREACHABLE', `the server at ${hostPort} does not speak TLS, and this client does`, {
      cause: error,
      remedy: 'Set HATCHET_CLIENT_TLS_STRATEGY=none, on a network that you trust',
    });
  if (isRefusedClient(error))
    return new HatchetError(
      'UNREACHABLE',
      `the server at ${hostPort} wants a certificate of this client that it trusts`,
      { cause: error, remedy: refusedClient },
    );
  if (isDistrusted(error))
    return new HatchetError(
      'UNREACHABLE',
      `this client does not trust the certificate of the server at ${hostPort}: ${detailsOf(error)}`,
      { cause: error, remedy: distrusted },
    );
  if (tls.strategy !== 'none' || !hasHungUp(error.details) || !(await speaksTls(hostPort))) return undefined;
  return new HatchetError('UNREACHABLE', `the server at ${hostPort} speaks TLS, and this client does not`, {
    cause: error,
    remedy: 'Set HATCHET_CLIENT_TLS_STRATEGY=tls',
  });
}

/** It took the connection, and ended it before it had said what HTTP/2 begins with. */
function hasHungUp(details: string): boolean {
  return /Last error: Failed to connect/.test(details);
}

async function speaksTls(hostPort: string): Promise<boolean> {
  if (!URL.canParse(`https://${hostPort}`)) return false;
  const { hostname, port } = new URL(`https://${hostPort}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return await new Promise<boolean>((resolve) => {
    // Whose certificate it has is not asked here: nothing is sent.
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const end = (speaks: boolean): void => {
      socket.destroy();
      resolve(speaks);
    };
    socket.setTimeout(handshakeMs, () => end(false));
    socket.on('secureConnect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });
}
