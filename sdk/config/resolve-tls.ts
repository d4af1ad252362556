import { HatchetError } from '../errors.ts';
import type { TlsStrategy } from './client-options.ts';
import { trustLocal, type LocalTls } from './local-tls.ts';
import { isLoopback } from './loopback.ts';

export interface ResolvedTls {
  readonly strategy: TlsStrategy;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFile: string | undefined;
  readonly serverName: string | undefined;
}

/** What options and the environment say. */
export interface TlsSettings {
  strategy: string | undefined;
  certFile: string | undefined;
  keyFile: string | undefined;
  caFile: string | undefined;
  serverName: string | undefined;
}

/** The variables HATCHET_CLIENT_TLS_*. */
export function tlsSettingsOf(environment: Readonly<Record<string, string | undefined>>): TlsSettings {
  const setting = (name: string): string | undefined =>
    environment[`HATCHET_CLIENT_TLS_${name}`] === '' ? undefined : environment[`HATCHET_CLIENT_TLS_${name}`];
  return {
    strategy: setting('STRATEGY'),
    certFile: setting('CERT_FILE'),
    keyFile: setting('KEY_FILE'),
    caFile: setting('ROOT_CA_FILE'),
    serverName: setting('SERVER_NAME'),
  };
}

export interface Peer {
  hostPort: string;
  /** `server_url` of the token. */
  tokenApiUrl: string | undefined;
  /** Of an engine that was found by its data folder. */
  local: { tls: LocalTls | undefined } | undefined;
}

/**
 * TLS unless told otherwise, as Hatchet's SDKs have it; but plain text to a loopback address and to the engine of a data
 * folder, unless those speak TLS. A token's `http:` does not turn TLS off: whoever made it may have had no network in mind.
 * @throws HatchetError NOT_CONFIGURED
 */
export function resolveTls(settings: TlsSettings, peer: Peer): ResolvedTls {
  const strategy = settings.strategy ?? usual(peer);
  if (strategy !== 'none' && strategy !== 'tls' && strategy !== 'mtls') {
    throw new HatchetError('NOT_CONFIGURED', `the TLS strategy is ${JSON.stringify(strategy)}`, {
      remedy: 'Set HATCHET_CLIENT_TLS_STRATEGY to none, tls or mtls',
    });
  }
  const trusted = peer.local?.tls === undefined ? undefined : trustLocal(peer.local.tls, peer.hostPort);
  const { certFile, keyFile, caFile = trusted?.caFile, serverName = trusted?.serverName } = settings;
  return { strategy, certFile, keyFile, caFile, serverName };
}

function usual({ hostPort, tokenApiUrl, local }: Peer): TlsStrategy {
  if (local !== undefined) return local.tls === undefined ? 'none' : local.tls.clientCertificates ? 'mtls' : 'tls';
  return isLoopback(hostPort) && tokenApiUrl?.startsWith('https:') !== true ? 'none' : 'tls';
}
