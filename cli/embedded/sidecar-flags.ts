import type { LogLevel } from '../../engine/index.ts';
import { wrongUse } from '../cli-error.ts';

/** What a program that embeds the engine asks of it. */
export interface SidecarFlags {
  handshakeFile: string;
  databaseUrl: string | undefined;
  dataDir: string | undefined;
  /** 0 for a free one. */
  grpcPort: number;
  apiPort: number;
  migrates: boolean;
  logLevel: LogLevel;
  /** Flags that mean nothing here, in words. */
  unused: readonly string[];
}

/** The levels of Hatchet's engines. */
const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'error',
  panic: 'error',
  disabled: 'silent',
};
const withValue = [
  'handshake-file',
  'database-url',
  'rabbitmq-url',
  'postgres-data-dir',
  'grpc-port',
  'api-port',
  'log-level',
] as const;
const switches = ['no-api', 'no-migrations'] as const;

/**
 * The flags that Hatchet's SDKs start an embedded engine with: `-name value` or `-name=value`, with one dash or two.
 * @throws CliError with exit code 2
 */
export function parseSidecarFlags(args: readonly string[]): SidecarFlags {
  const values = new Map<string, string>();
  const on = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = '', inline] = /^--?([a-z-]+)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    if (switches.some((known) => known === name)) {
      if (inline !== 'false') on.add(name);
    } else if (withValue.some((known) => known === name)) {
      const value = inline ?? args[++at];
      if (value === undefined) throw wrongUse(`-${name} has no value`, `Write -${name} <value>.`);
      values.set(name, value);
    } else {
      throw wrongUse(
        `${JSON.stringify(args[at])} is not a flag of an embedded engine`,
        `Use ${[...withValue, ...switches].map((known) => `-${known}`).join(', ')}.`,
      );
    }
  }
  const handshakeFile = values.get('handshake-file');
  if (handshakeFile === undefined || handshakeFile === '')
    throw wrongUse(
      '-handshake-file is missing',
      'This program is started by HatchetEmbeddedClient; for an engine of your own use `hatchet engine start`.',
    );
  return {
    handshakeFile,
    databaseUrl: values.get('database-url'),
    dataDir: values.get('postgres-data-dir'),
    grpcPort: port(values, 'grpc-port'),
    apiPort: port(values, 'api-port'),
    migrates: !on.has('no-migrations'),
    logLevel: level(values.get('log-level')),
    unused: [
      ...(values.has('rabbitmq-url') ? ['-rabbitmq-url is not used: messages go by Postgres'] : []),
      ...(on.has('no-api') ? ['-no-api is not used: the API is served beside gRPC, on loopback'] : []),
    ],
  };
}

function port(values: ReadonlyMap<string, string>, name: string): number {
  const text = values.get(name) ?? '0';
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535)
    throw wrongUse(`-${name} is no port: ${JSON.stringify(text)}`, 'Use a number from 0 to 65535; 0 picks a free one.');
  return number;
}

function level(text = 'warn'): LogLevel {
  const known = levels[text.toLowerCase()];
  if (known === undefined)
    throw wrongUse(`-log-level is no level: ${JSON.stringify(text)}`, `Use ${Object.keys(levels).join(', ')}.`);
  return known;
}
