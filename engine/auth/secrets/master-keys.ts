import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HatchetError } from '../../base/errors.ts';
import { distrustRecord } from '../../base/trusted-record.ts';
import { masterKey, type MasterKey } from './sealer.ts';

const keyBytes = 32;

export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

export interface KeySource {
  dataDir: string;
  /** Default HATCHET_ENGINE_SECRET_KEY_FILE, else HATCHET_ENGINE_SECRET_KEY itself, else `secret.key` in the data folder. */
  secretKeyFile?: string | undefined;
  /** Whether the data folder may be given a key where no secret is sealed yet. Default true; only whoever serves the database may. */
  mayCreate?: boolean | undefined;
}

/** The keys of this engine, the one that seals first; undefined where none was given and the data folder has none yet. @throws HatchetError SECRET_KEY_UNUSABLE */
export function readMasterKeys({ dataDir, secretKeyFile }: KeySource): MasterKeys | undefined {
  const given = secretKeyFile ?? setting('HATCHET_ENGINE_SECRET_KEY_FILE');
  if (given !== undefined) return parse(read(given), given);
  const variable = setting('HATCHET_ENGINE_SECRET_KEY');
  if (variable !== undefined) return parse(variable, 'HATCHET_ENGINE_SECRET_KEY');
  const path = defaultPath(dataDir);
  const distrust = distrustRecord(path, { ofFolderOwner: true });
  if (distrust !== undefined) throw unusable(`${path} is not to be trusted: ${distrust}`);
  return existsSync(path) ? parse(read(path), path) : undefined;
}

/** Makes the data folder's own key (0600). Of two that do so at once one wins, and both go on with its key. */
export function createMasterKey(dataDir: string): MasterKeys {
  const path = defaultPath(dataDir);
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600 });
  try {
    linkSync(fresh, path);
  } catch (error) {
    // No `instanceof Error`: under jest, Node's errors are of another realm.
    if (Object(error).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return parse(readFileSync(path, 'utf8'), path);
}

/** @throws HatchetError SECRET_KEY_UNUSABLE */
export function missingKey({ dataDir }: KeySource): HatchetError {
  return new HatchetError('SECRET_KEY_UNUSABLE', `there is no secret key in ${resolve(dataDir)}`, {
    remedy: 'Start the engine first, which makes one, or give that of the engine with --secret-key-file.',
  });
}

function defaultPath(dataDir: string): string {
  return join(resolve(dataDir), 'secret.key');
}

function setting(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value.trim() === '' ? undefined : value;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unusable(
      `the secret key ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}

/** 32 bytes each, as base64 or hex; several apart by lines or commas. */
function parse(text: string, from: string): MasterKeys {
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const bytes = Buffer.from(part, /^[0-9a-f]{64}$/i.test(part) ? 'hex' : 'base64');
      if (bytes.length !== keyBytes) throw unusable(`${from} does not hold a key of ${keyBytes} bytes`);
      return masterKey(bytes);
    });
  const [first, ...rest] = keys;
  if (first === undefined) throw unusable(`${from} is empty`);
  return [first, ...rest];
}

function unusable(message: string, cause?: unknown): HatchetError {
  return new HatchetError('SECRET_KEY_UNUSABLE', message, {
    cause,
    remedy:
      'Give 32 random bytes as base64, such as `openssl rand -base64 32` prints; a file of your own needs no other reader.',
  });
}
