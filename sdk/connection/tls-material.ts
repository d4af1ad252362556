import { readFileSync } from 'node:fs';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { ResolvedTls } from '../config/resolve-tls.ts';
import { HatchetError } from '../errors.ts';

/** What a TLS client is made with, in Node's names. */
export interface TlsMaterial {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
}

/** The files of a strategy, read. @throws HatchetError NOT_CONFIGURED */
export function tlsMaterial({ strategy, caFile, certFile, keyFile, serverName }: ResolvedTls): TlsMaterial {
  const material: TlsMaterial = {};
  if (caFile !== undefined) material.ca = read(caFile, 'ROOT_CA_FILE');
  if (serverName !== undefined) material.servername = serverName;
  if (strategy !== 'mtls') return material;
  if (certFile === undefined || keyFile === undefined) {
    throw new HatchetError('NOT_CONFIGURED', "mTLS needs the client's own certificate and key", {
      remedy: 'Set HATCHET_CLIENT_TLS_CERT_FILE and HATCHET_CLIENT_TLS_KEY_FILE',
    });
  }
  return { ...material, cert: read(certFile, 'CERT_FILE'), key: read(keyFile, 'KEY_FILE') };
}

/** @throws HatchetError NOT_CONFIGURED */
export function channelCredentials(tls: ResolvedTls): ChannelCredentials {
  if (tls.strategy === 'none') return credentials.createInsecure();
  const { ca = null, key = null, cert = null } = tlsMaterial(tls);
  try {
    return credentials.createSsl(ca, key, cert);
  } catch (cause) {
    throw new HatchetError(
      'NOT_CONFIGURED',
      `the TLS files cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, remedy: 'Give PEM files, and a key that belongs to its certificate' },
    );
  }
}

/** Options of a channel that go with them. */
export function channelTls({ serverName }: ResolvedTls): { 'grpc.ssl_target_name_override'?: string } {
  return serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName };
}

function read(path: string, name: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HatchetError(
      'NOT_CONFIGURED',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, remedy: `Correct HATCHET_CLIENT_TLS_${name}` },
    );
  }
}
