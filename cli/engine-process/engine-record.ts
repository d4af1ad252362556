import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../project/json-value.ts';
import { isEngineOf } from './process-identity.ts';

/** `<data-dir>/engine.json` (0600): written by the engine's process once it is ready, removed by it at its stop. */
export interface EngineRecord {
  pid: number;
  /** ISO 8601. */
  startedAt: string;
  version: string;
  /** `host:port`. */
  grpc: string;
  /** `host:port`. */
  http: string;
  /** Password included. */
  databaseUrl: string;
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'engine.json');
}

function parse(text: string): EngineRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return undefined;
    const { pid, startedAt, version, grpc, http, databaseUrl } = value;
    if (typeof pid !== 'number' || typeof startedAt !== 'string' || typeof version !== 'string') return undefined;
    if (typeof grpc !== 'string' || typeof http !== 'string' || typeof databaseUrl !== 'string') return undefined;
    return { pid, startedAt, version, grpc, http, databaseUrl };
  } catch {
    return undefined;
  }
}

/** The engine that runs on the data folder. A record whose process is gone, or whose pid is another program's now, is none. */
export function runningEngine(dataDir: string): EngineRecord | undefined {
  let text: string;
  try {
    text = readFileSync(recordPath(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const record = parse(text);
  return record !== undefined && isEngineOf(record.pid, dataDir) ? record : undefined;
}

/** Removes what a killed engine left. A running one removes its own. */
export function removeStaleRecord(dataDir: string): void {
  if (runningEngine(dataDir) === undefined) rmSync(recordPath(dataDir), { force: true });
}

/** The record as people and scripts may see it: the database without its password. */
export function withoutSecrets(record: EngineRecord): EngineRecord {
  try {
    const url = new URL(record.databaseUrl);
    if (url.password !== '') url.password = '***';
    return { ...record, databaseUrl: url.href };
  } catch {
    return { ...record, databaseUrl: '***' };
  }
}

/** The data folder's own token, which the engine writes (0600). */
export function readLocalToken(dataDir: string): string | undefined {
  try {
    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}
