import type { OutputFlag } from '../../command-host.ts';
import type { EngineRecord } from '../../engine-process/engine-record.ts';
import { ageText } from '../../output/time-text.ts';

export interface EngineFlags extends OutputFlag {
  dataDir?: string;
}

/** A running engine in words. */
export function describeEngine(record: EngineRecord): string {
  return [
    `pid       ${record.pid}`,
    `up        ${ageText(record.startedAt)}`,
    `version   ${record.version}`,
    `gRPC      ${record.grpc}`,
    `HTTP      ${record.http}`,
    `TLS       ${tlsText(record)}`,
    `database  ${record.databaseUrl}`,
  ].join('\n');
}

function tlsText({ tls }: EngineRecord): string {
  if (tls === null) return 'none';
  return tls.clientCertificates ? `${tls.certFile}, and clients need a certificate` : tls.certFile;
}
