import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseLocalTls, type LocalTls } from '../../sdk/config/local-tls.ts';
import { distrustRecord } from '../../sdk/config/trusted-record.ts';
import { CliError } from '../cli-error.ts';
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
  /** Null where it speaks plain text. */
  tls: LocalTls | null;
  /** Null where the key lies in the data folder, or came by a variable. */
  secretKeyFile: string | null;
  /** Password included. */
  databaseUrl: string;
}

/** Base URL of its REST API. */
export function apiUrlOf(engine: EngineRecord): string {
  return `${engine.tls === null ? 'http' : 'https'}://${engine.http}`;
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
    return {
      pid,
      startedAt,
      version,
      grpc,
      http,
      tls: parseLocalTls(value['tls']) ?? null,
      secretKeyFile: typeof value['secretKeyFile'] === 'string' ? value['secretKeyFile'] : null,
      databaseUrl,
    };
  } catch {
    return undefined;
  }
}

/** @throws CliError for a file in a data folder that another user may have written */
function checkTrust(path: string): void {
  const distrust = distrustRecord(path);
  if (distrust !== undefined)
    throw new CliError(`${path} is not to be trusted: ${distrust}`, {
      remedy:
        'Run the command as the user whose engine it is, remove that file, or name an engine with HATCHET_CLIENT_TOKEN.',
    });
}

/**
 * The engine that runs on the data folder. A record whose process is gone, or whose pid is another program's now, is none.
 * @throws CliError where another user may have written the record
 */
export function runningEngine(dataDir: string): EngineRecord | undefined {
  checkTrust(recordPath(dataDir));
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

/** The data folder's own token, which the engine writes (0600). @throws CliError where another user may have written it */
export function readLocalToken(dataDir: string): string | undefined {
  const path = join(dataDir, 'token');
  checkTrust(path);
  try {
    const token = readFileSync(path, 'utf8').trim();
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}
