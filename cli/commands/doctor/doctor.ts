import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { knownMonitor } from '../../connection/monitor-offer.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { namesEngine } from '../../connection/profile-store.ts';
import { readLocalToken, runningEngine, type EngineRecord } from '../../engine-process/engine-record.ts';
import { isPortFree, portOwner } from '../../engine-process/port-owner.ts';
import { ExitCode } from '../../exit-codes.ts';
import { openReader } from '../../monitor/open-reader.ts';
import type { Overview, RunReader } from '../../monitor/run-reader.ts';
import { plainLines } from '../../output/plain-text.ts';
import { reportError } from '../../output/report-error.ts';
import { msText } from '../../output/time-text.ts';
import { dataFolder } from '../../project/project-root.ts';

export type DoctorFlags = ConnectionFlags & OutputFlag;

interface Finding {
  check: string;
  state: 'ok' | 'note' | 'wrong';
  detail: string;
  remedy: string | null;
}

const marks: Readonly<Record<Finding['state'], string>> = { ok: '✓', note: '·', wrong: '✗' };
const wantedFreeBytes = 512 * 1024 * 1024;
const oldestNode = [20, 19] as const;
/** A worker's and an engine's clock may differ by this much before times look wrong. */
const clockLimitMs = 5_000;
/** Rows that cannot be read are named one by one up to this. */
const mostSetAside = 20;

export async function doctor(context: CliContext, flags: DoctorFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const [engine, distrust] = findEngine(dataDir);
  const findings = [
    checkNode(),
    ...distrust,
    checkFolder(dataDir),
    checkSpace(dataDir),
    ...(await checkPorts(engine)),
    checkEngine(dataDir, engine),
    await checkSchema(engine),
    distrust.length > 0 ? [] : await checkAccess(context, flags),
  ].flat();
  output.value({ findings }, () => findings.map(render).join('\n'));
  return findings.some((finding) => finding.state === 'wrong') ? ExitCode.failed : ExitCode.done;
}

/** The engine, and what is wrong with its record where another user may have written that. */
function findEngine(dataDir: string): [EngineRecord | undefined, Finding[]] {
  try {
    return [runningEngine(dataDir), []];
  } catch (error) {
    return [undefined, [failed('data folder', error)]];
  }
}

function render({ check, state, detail, remedy }: Finding): string {
  const line = `${marks[state]} ${check.padEnd(12)}${detail}`;
  return plainLines(remedy === null ? line : `${line}\n  ${''.padEnd(12)}${remedy}`);
}

function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail, remedy: null };
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return isEnough
    ? ok('Node', process.versions.node)
    : {
        check: 'Node',
        state: 'wrong',
        detail: `${process.versions.node} is too old`,
        remedy: `Install Node ${oldestNode.join('.')} or newer.`,
      };
}

function nearestExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}

function checkFolder(dataDir: string): Finding {
  const folder = nearestExisting(dataDir);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK);
    return ok('data folder', existsSync(dataDir) ? dataDir : `${dataDir} (made at the first start)`);
  } catch {
    return {
      check: 'data folder',
      state: 'wrong',
      detail: `${folder} cannot be written`,
      remedy: 'Change its permissions, or choose another with --data-dir.',
    };
  }
}

function checkSpace(dataDir: string): Finding {
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir));
  const free = bavail * bsize;
  const detail = `${Math.round(free / 1024 / 1024).toLocaleString('en')} MiB free`;
  return free >= wantedFreeBytes
    ? ok('disk', detail)
    : { check: 'disk', state: 'wrong', detail, remedy: 'Free some space: Postgres stops when the disk is full.' };
}

/** The usual ports, unless the engine itself has them. A taken one is no fault: `dev` takes the next. */
async function checkPorts(engine: EngineRecord | undefined): Promise<Finding[]> {
  if (engine !== undefined) return [];
  const findings: Finding[] = [];
  for (const [name, port] of [
    ['gRPC port', 7077],
    ['HTTP port', 8888],
  ] as const) {
    if (await isPortFree('127.0.0.1', port)) {
      findings.push(ok(name, `${port} is free`));
      continue;
    }
    const owner = portOwner(port);
    findings.push({
      check: name,
      state: 'note',
      detail: `${port} is taken${owner === undefined ? '' : ` by pid ${owner.pid} (${owner.command})`}`,
      remedy: '`hatchet dev` takes the next free port; `hatchet engine start` needs another by flag.',
    });
  }
  return findings;
}

function checkEngine(dataDir: string, engine: EngineRecord | undefined): Finding {
  if (engine !== undefined) return ok('engine', `pid ${engine.pid}, gRPC ${engine.grpc}, version ${engine.version}`);
  const left = existsSync(join(dataDir, 'engine.json'));
  return {
    check: 'engine',
    state: 'note',
    detail: left ? 'does not run; it was killed, the next start recovers' : 'does not run',
    remedy: 'Start it with `hatchet dev` or `hatchet engine start`.',
  };
}

async function checkSchema(engine: EngineRecord | undefined): Promise<Finding[]> {
  if (engine === undefined) return [];
  const { clockAheadMs, verifyServable } = await import('../../../engine/index.ts');
  const clock: Finding[] = [];
  let newer: string | undefined;
  try {
    newer = await verifyServable(engine.databaseUrl);
    const aheadMs = await clockAheadMs(engine.databaseUrl);
    if (Math.abs(aheadMs) > clockLimitMs) clock.push(wrongClock("Postgres's clock", aheadMs));
  } catch (error) {
    return [failed('schema', error)];
  }
  return [
    ok('Postgres', 'reached'),
    ...clock,
    newer === undefined ? ok('schema', 'as this version wants it') : newerSchema(newer),
    ...(await checkStored(engine)),
  ];
}

/** What the engine could not read when it took its work over, and work that nobody does. */
async function checkStored({ databaseUrl }: EngineRecord): Promise<Finding[]> {
  const { readShardReport } = await import('../../../engine/index.ts');
  try {
    const { setAside, setAsideInAll, unserved } = await readShardReport(databaseUrl, mostSetAside);
    const findings: Finding[] = setAside.map(({ kind, id, reason, since }) => ({
      check: 'stored',
      state: 'wrong',
      detail: `the ${kind} ${id} cannot be read and is set aside since ${since.toISOString()}: ${reason}`,
      remedy: 'All else goes on without it. Mend what the reason names, then restart the engine: it comes back.',
    }));
    if (setAsideInAll > setAside.length)
      findings.push({
        check: 'stored',
        state: 'wrong',
        detail: `${(setAsideInAll - setAside.length).toLocaleString('en')} more are set aside`,
        remedy: 'The table set_aside names them all.',
      });
    if (unserved.length > 0)
      findings.push({
        check: 'shards',
        state: 'wrong',
        detail: `no engine serves ${unserved.length === 1 ? 'shard' : 'shards'} ${unserved.join(', ')}; calls for their tenants wait or are refused`,
        remedy: "The engine's log says why it could not take them over.",
      });
    return findings.length === 0 ? [ok('stored', 'all that is unfinished can be read and is served')] : findings;
  } catch (error) {
    return [failed('stored', error)];
  }
}

/** Whether the engine that commands would use takes us in, and its clock. */
async function checkAccess(context: CliContext, flags: DoctorFlags): Promise<Finding[]> {
  const isNamed = namesEngine(context.env, flags);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  if (!isNamed && (runningEngine(dataDir) === undefined || readLocalToken(dataDir) === undefined)) return [];
  try {
    const connection = resolveConnection(context, flags);
    const reader = openReader(connection);
    try {
      const startedAt = performance.now();
      await reader.listRuns({ limit: 1 });
      const access = ok(
        'access',
        `${connection.address} answers in ${msText(performance.now() - startedAt)} (token of ${connection.source})`,
      );
      const overview = await firstOverview(reader);
      if (knownMonitor(connection) === false)
        return [
          access,
          {
            check: 'service',
            state: 'note',
            detail: `version ${overview?.engineVersion ?? 'unknown'}, no hatchet-ts engine: read over REST at ${connection.apiUrl}`,
            remedy: null,
          },
        ];
      return [access, clock(overview)];
    } finally {
      reader.close();
    }
  } catch (error) {
    return [failed('access', error)];
  }
}

async function firstOverview(reader: RunReader): Promise<Overview | undefined> {
  const abort = new AbortController();
  try {
    for await (const overview of reader.streamOverview(abort.signal)) return overview;
    return undefined;
  } finally {
    abort.abort();
  }
}

/** An engine cannot have started in the future. */
function clock(overview: Overview | undefined): Finding {
  const aheadMs =
    overview?.engineStartedAt === undefined || overview.engineStartedAt === null
      ? 0
      : Date.parse(overview.engineStartedAt) - Date.now();
  return aheadMs <= clockLimitMs ? ok('clock', 'agrees with the engine') : wrongClock('the engine', aheadMs);
}

function newerSchema(migration: string): Finding {
  return {
    check: 'schema',
    state: 'note',
    detail: `${migration} is of the next version; this one serves on it`,
    remedy: 'Finish the upgrade of the engines, or take it back: `hatchet migrate down` with the next version.',
  };
}

function wrongClock(whose: string, aheadMs: number): Finding {
  return {
    check: 'clock',
    state: 'wrong',
    detail: `${whose} is ${msText(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`,
    remedy: 'Set the time of both machines by NTP.',
  };
}

function failed(check: string, error: unknown): Finding {
  const [head = '', ...rest] = reportError(error)
    .text.replace(/^error: /, '')
    .split('\n');
  return {
    check,
    state: 'wrong',
    detail: head,
    remedy: rest.length === 0 ? null : rest.map((line) => line.trim()).join(' '),
  };
}
