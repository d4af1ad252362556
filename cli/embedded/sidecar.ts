/**
 * The process of `bin/hatchet-embedded`: this engine in the place of the one that Hatchet's SDKs download and start in embedded
 * mode. It says where it serves in the handshake file, and stops with its parent, whose end closes stdin. The log goes to stderr.
 */
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { startEngine, verifyServable, type RunningEngine } from '../../engine/index.ts';
import { ExitCode } from '../exit-codes.ts';
import { tokenClaims } from '../connection/token-claims.ts';
import { reportError } from '../output/report-error.ts';
import { parseSidecarFlags, type SidecarFlags } from './sidecar-flags.ts';

const stopped = new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
  process.on('SIGINT', () => resolve());
  process.stdin.on('end', () => resolve());
  process.stdin.on('error', () => resolve());
  process.stdin.resume();
});

/** Beside the engines that the SDKs download. Of each database of one's own another folder: programs may use several at once. */
function dataDirOf({ dataDir, databaseUrl }: SidecarFlags): string {
  const name =
    databaseUrl === undefined ? 'local' : createHash('sha256').update(databaseUrl).digest('hex').slice(0, 16);
  return dataDir ?? join(homedir(), '.hatchet', 'embedded', 'hatchet-ts', name);
}

async function start(flags: SidecarFlags): Promise<RunningEngine> {
  const { databaseUrl, grpcPort, apiPort, logLevel, migrates } = flags;
  if (!migrates && databaseUrl !== undefined) await verifyServable(databaseUrl);
  return startEngine({
    dataDir: dataDirOf(flags),
    grpcPort,
    httpPort: apiPort,
    logLevel,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
}

/** Whole or not at all: whoever waits for it reads it as soon as it is there. It holds a token. */
function writeHandshake(file: string, { token, grpc, http }: RunningEngine): void {
  const handshake = {
    token,
    tenant_id: tokenClaims(token)?.tenantId,
    grpc_address: `${grpc.host}:${grpc.port}`,
    api_url: `http://${http.host}:${http.port}`,
  };
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(handshake), { mode: 0o600 });
  renameSync(draft, file);
}

let exitCode: ExitCode = ExitCode.done;
try {
  const flags = parseSidecarFlags(process.argv.slice(2));
  for (const line of flags.unused) process.stderr.write(`hatchet embedded: ${line}\n`);
  const engine = await start(flags);
  try {
    writeHandshake(flags.handshakeFile, engine);
    await stopped;
  } finally {
    await engine.stop();
  }
} catch (error) {
  const report = reportError(error);
  process.stderr.write(`${report.text}\n`);
  exitCode = report.exitCode;
}
process.exit(exitCode);
