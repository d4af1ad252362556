import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HatchetError } from '../errors.ts';
import { parseLocalTls, type LocalTls } from './local-tls.ts';
import { distrustRecord } from './trusted-record.ts';

/** An engine that runs on this machine, as its data folder describes it. */
export interface LocalEngine {
  token: string;
  hostPort: string | undefined;
  apiUrl: string | undefined;
  /** Undefined where it speaks plain text, or does not run. */
  tls: LocalTls | undefined;
}

/**
 * The local engine of a project: the nearest ancestor of `from` that has `.hatchet/token`.
 * `.hatchet/engine.json` exists while the engine runs; without it the token's own addresses hold.
 * @throws HatchetError NOT_CONFIGURED where another user may have written either
 */
export function findLocalEngine(from: string): LocalEngine | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const token = readText(join(folder, '.hatchet', 'token'))?.trim();
    if (token !== undefined && token !== '')
      return { token, ...readAddresses(join(folder, '.hatchet', 'engine.json')) };
    if (dirname(folder) === folder) return undefined;
  }
}

function readAddresses(path: string): Omit<LocalEngine, 'token'> {
  const content = readText(path);
  let engine: unknown;
  try {
    engine = content === undefined ? undefined : JSON.parse(content);
  } catch {
    engine = undefined;
  }
  const http = address(engine, 'http');
  const tls = typeof engine === 'object' && engine !== null ? parseLocalTls(Reflect.get(engine, 'tls')) : undefined;
  return {
    hostPort: address(engine, 'grpc'),
    apiUrl: http === undefined ? undefined : `${tls === undefined ? 'http' : 'https'}://${http}`,
    tls,
  };
}

/** `host:port` of `{host, port}`, or a text as it is. */
function address(engine: unknown, name: string): string | undefined {
  if (typeof engine !== 'object' || engine === null) return undefined;
  const value: unknown = Reflect.get(engine, name);
  if (typeof value === 'string') return value.replace(/^https?:\/\//, '');
  if (typeof value !== 'object' || value === null) return undefined;
  const host: unknown = Reflect.get(value, 'host');
  const port: unknown = Reflect.get(value, 'port');
  return typeof host === 'string' && typeof port === 'number' ? `${host}:${port}` : undefined;
}

function readText(path: string): string | undefined {
  const distrust = distrustRecord(path);
  if (distrust !== undefined) {
    throw new HatchetError('NOT_CONFIGURED', `${path} is not to be trusted: ${distrust}`, {
      remedy: 'Run as the user whose engine it is, remove it, or set HATCHET_CLIENT_TOKEN',
    });
  }
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
