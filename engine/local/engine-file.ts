import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunningEngine } from '../base/engine-options.ts';
import { hostPort } from '../net/bind-address.ts';

/**
 * `<dataDir>/engine.json` (0600) tells programs beside the engine where it is. The engine's own process writes and removes
 * it, so that it is the same however the process was started.
 */
export function writeEngineFile(dataDir: string, engine: RunningEngine, secretKeyFile: string | undefined): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const record = {
    pid: process.pid,
    startedAt: engine.startedAt.toISOString(),
    version: engine.version,
    grpc: hostPort(engine.grpc),
    http: hostPort(engine.http),
    // A client beside the engine trusts the certificate that it serves by its file.
    tls:
      engine.tls === undefined
        ? null
        : { certFile: resolve(engine.tls.certFile), clientCertificates: engine.tls.clientCaFile !== undefined },
    // Where commands that need the secret key find it, other than in the data folder.
    secretKeyFile: secretKeyFile === undefined ? null : resolve(secretKeyFile),
    databaseUrl: engine.databaseUrl,
  };
  const path = engineFile(dataDir);
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, path);
}

/** Leaves a record that another engine wrote meanwhile. */
export function removeEngineFile(dataDir: string): void {
  const path = engineFile(dataDir);
  try {
    const record: { pid?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
    if (record.pid === process.pid) rmSync(path, { force: true });
  } catch {
    // there is none
  }
}

function engineFile(dataDir: string): string {
  return join(resolve(dataDir), 'engine.json');
}
