import { resolve } from 'node:path';
import { AuditLog } from './auth/audit-log.ts';
import { KeyRing } from './auth/key-ring.ts';
import { PageLinks } from './auth/page-links.ts';
import { ensureLocalToken } from './auth/local-token.ts';
import { openSecrets } from './auth/secrets/open-secrets.ts';
import { TenantLimits } from './auth/tenant-limits.ts';
import { ensureTenant } from './auth/tenants.ts';
import { Tokens } from './auth/tokens.ts';
import { WebhookStore } from './auth/webhooks/webhook-store.ts';
import { AwakeClock } from './base/awake-clock.ts';
import type { Clock } from './base/clock.ts';
import {
  type EngineOptions,
  type RunningEngine,
  type StageEvent,
  type StageName,
  engineDefaults,
} from './base/engine-options.ts';
import { openDatabase } from './local/database.ts';
import { dispatchReads } from './dispatch/payload-loader.ts';
import { edgeCommands } from './wiring/limited-commands.ts';
import { EngineCore } from './wiring/engine-core.ts';
import { isLive } from './wiring/is-live.ts';
import { Gate } from './edge/access/gate.ts';
import { OpenCalls } from './edge/access/open-calls.ts';
import { LinksToOwners } from './grpc/by-link/links-to-owners.ts';
import { adminService } from './grpc/admin-service.ts';
import { dispatcherService } from './grpc/dispatcher-service.ts';
import { durableService } from './grpc/durable/durable-service.ts';
import { DailyUse } from './edge/limits/daily-use.ts';
import { eventsService } from './grpc/events-service.ts';
import type { LogStreamDeps } from './grpc/log-stream.ts';
import { traceService } from './grpc/spans/trace-service.ts';
import { LogIntake } from './grpc/log-intake.ts';
import { StreamIntake } from './grpc/stream-intake.ts';
import { monitorCalls } from './grpc/monitor-calls.ts';
import { monitorHandlers, monitorService } from './grpc/monitor-service.ts';
import { ChangeSignal } from './figures/change-signal.ts';
import { CallsTogether } from './grpc/session/calls-together.ts';
import { sessionService } from './grpc/session/session-service.ts';
import { startGrpc } from './grpc/grpc-server.ts';
import { EdgeProcesses } from './edge-processes/edge-processes.ts';
import { HatchetError } from './base/errors.ts';
import type { SocketSource } from './net/listen.ts';
import { strangerInterceptor } from './grpc/stranger-interceptor.ts';
import { workflowService } from './grpc/workflow-service.ts';
import { EngineQuiet } from './test-clock/engine-quiet.ts';
import { createLog, type Logger } from './base/log.ts';
import { processHost } from './base/host.ts';
import { movedAway } from './base/not-owner.ts';
import { withOperatorServices } from './grpc/with-operator-services.ts';
import { RetentionBound } from './wiring/retention-bound.ts';
import { Maintenance } from './wiring/partition-upkeep.ts';
import { shardOf } from './model/ids/shard-of.ts';
import { dateIdsBy } from './model/ids/uuid.ts';
import { NodeResults } from './monitor/durable/node-results.ts';
import { HeartbeatWriter } from './writers/heartbeat-writer.ts';
import { JournalFeed } from './monitor/journal/journal-feed.ts';
import { KeyedSignal } from './base/keyed-signal.ts';
import { SpanWriter } from './writers/span-writer.ts';
import { LogWriter } from './writers/log-writer.ts';
import { StreamWriter } from './writers/stream-writer.ts';
import { RunEndWaiters } from './monitor/runs/run-end-waiters.ts';
import { connectionConfig, createPool } from './postgres/connect.ts';
import { PostgresClock, timeOf } from './postgres/postgres-clock.ts';
import { migrateUp } from './postgres/schema/migrate.ts';
import { Metrics } from './metrics/metrics.ts';
import { startMetricsServer } from './rest/metrics/metrics-server.ts';
import { readPage } from './rest/page/page-files.ts';
import { startRest } from './rest/rest-server.ts';
import { reachableHost, Replica } from './replicas/replica.ts';
import { readCertificate } from './shard/ownership/replica-record.ts';
import { checkBind, hostPort, isLoopbackHost } from './net/bind-address.ts';
import { ConnectionGuard } from './net/connection-guard.ts';
import { TlsIdentity } from './net/tls-identity.ts';
import { TenantPurge } from './purge/tenant-purge.ts';
import { packageVersion } from './base/package-version.ts';
import type { TenantId } from './model/ids/tenant-id.ts';

/** Open calls may end in this time at a stop. */
const drainMs = 2_000;

/** A log line that another engine process stored is seen after this. */
const othersLinesMs = 2_000;

type OnStage = (event: StageEvent) => void;

async function stage<T>(
  name: StageName,
  onStage: OnStage,
  work: () => Promise<{ value: T; detail: string }>,
): Promise<T> {
  const startedAt = performance.now();
  onStage({ stage: name, status: 'started', ms: 0, detail: '' });
  const { value, detail } = await work();
  onStage({ stage: name, status: 'done', ms: Math.round(performance.now() - startedAt), detail });
  return value;
}

/**
 * Starts an engine: Postgres (its own, unless given one), migrations, then everything that serves.
 * What a failed start had begun is stopped again.
 * @param sockets in place of ports of its own
 * @throws HatchetError INSECURE_BIND, TLS_UNUSABLE, PORT_TAKEN, DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START, POSTGRES_UNREACHABLE, POSTGRES_TOO_OLD, SECRET_KEY_WRONG, SECRET_KEY_UNUSABLE, SCHEMA_NEWER, SCHEMA_CHANGED, SCHEMA_IN_USE, DATABASE_LOCKED, EDGE_LOST, EDGE_ALONE
 */
export async function startEngine(
  options: EngineOptions = {},
  onStage: OnStage = () => undefined,
  sockets?: SocketSource,
): Promise<RunningEngine> {
  const log = createLog(options.logLevel ?? 'info');
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      for (const each of stops.reverse())
        await each().catch((error: unknown) => log.error({ err: error }, 'a part of the engine did not stop in order'));
    })();
    return stopping;
  };
  try {
    return await assemble(options, { log, onStage, onStop: (each) => stops.push(each), stop, sockets });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Assembly {
  log: Logger;
  onStage: OnStage;
  onStop: (stop: () => Promise<unknown>) => void;
  stop: () => Promise<void>;
  sockets: SocketSource | undefined;
}

async function assemble(
  options: EngineOptions,
  { log, onStage, onStop, stop, sockets }: Assembly,
): Promise<RunningEngine> {
  const dataDir = resolve(options.dataDir ?? '.hatchet');
  const startedAt = new Date();
  const version = packageVersion();
  checkRole(options);
  const tls = await openTls(options, { log, onStop });

  const database = await stage('postgres', onStage, async () => {
    const value = await openDatabase({ databaseUrl: options.databaseUrl, dataDir, log });
    onStop(() => value.stop());
    return { value, detail: value.detail };
  });
  await stage('migrations', onStage, async () => {
    let newer: string | undefined;
    const steps = await migrateUp(database.url, { onNewer: (name) => (newer = name) });
    if (newer !== undefined)
      log.warn({ migration: newer }, 'the schema is one migration newer than this version knows');
    const done = steps.map((step) => `${step.name} ${step.ms} ms`).join(', ') || 'up to date';
    return { value: undefined, detail: newer === undefined ? done : `${newer} is newer than this version` };
  });
  return stage('engine', onStage, async () => {
    const value = await serve(options, {
      log,
      onStop,
      stop,
      sockets,
      dataDir,
      startedAt,
      version,
      databaseUrl: database.url,
      tls,
    });
    return {
      value,
      detail: [
        `gRPC ${hostPort(value.grpc)}`,
        `HTTP ${hostPort(value.http)}`,
        ...(value.metrics === undefined ? [] : [`metrics ${hostPort(value.metrics)}`]),
        ...(tls === undefined ? [] : ['TLS']),
      ].join(', '),
    };
  });
}

/** @throws HatchetError INSECURE_BIND, TLS_UNUSABLE */
async function openTls(
  options: EngineOptions,
  { log, onStop }: Pick<Assembly, 'log' | 'onStop'>,
): Promise<TlsIdentity | undefined> {
  const isInsecureAllowed = options.insecure ?? ['1', 'true'].includes(process.env['HATCHET_ENGINE_INSECURE'] ?? '');
  const host = options.host ?? engineDefaults.host;
  await checkBind({ host, hasTls: options.tls !== undefined, isInsecureAllowed });
  if (options.metricsPort !== undefined)
    await checkBind({
      host: options.metricsHost ?? engineDefaults.metricsHost,
      hasTls: options.tls !== undefined,
      isInsecureAllowed,
    });
  if (options.tls === undefined) {
    if (!(await isLoopbackHost(host))) log.warn({ host }, 'tokens and payloads cross the network in plain text');
    return undefined;
  }
  const tls = TlsIdentity.open(options.tls, log);
  onStop(async () => tls.stop());
  return tls;
}

interface ServeContext extends Omit<Assembly, 'onStage'> {
  tls: TlsIdentity | undefined;
  dataDir: string;
  startedAt: Date;
  version: string;
  databaseUrl: string;
}

async function serve(options: EngineOptions, context: ServeContext): Promise<RunningEngine> {
  const { log, onStop, databaseUrl, version, startedAt, sockets } = context;
  const host = options.host ?? engineDefaults.host;
  const awake = new AwakeClock();
  onStop(async () => awake.stop());
  const reads = createPool(databaseUrl, { name: 'hatchet reads', max: 8, statementMs: 30_000, log });
  const writes = createPool(databaseUrl, { name: 'hatchet writes', max: 3, statementMs: 30_000, log });
  // Apart from the reads of people: those may be long, and many.
  const payloadReads = createPool(databaseUrl, {
    name: 'hatchet dispatch',
    max: dispatchReads,
    statementMs: 30_000,
    log,
  });
  onStop(() => Promise.all([reads.end(), writes.end(), payloadReads.end()]));
  const postgresClock = new PostgresClock({ read: timeOf(writes), awake, log, jumped: () => owner.wakeForTimers() });
  await postgresClock.start();
  onStop(() => postgresClock.stop());
  dateIdsBy(() => postgresClock.nowUs() / 1000);
  const moved = options.clock;
  const clock: Clock =
    moved === undefined
      ? postgresClock
      : {
          nowUs: () => moved.nowUs(),
          systemMs: (ms) => moved.systemMs?.(ms) ?? ms,
          standstillUs: () => Math.round(awake.pausedMs() * 1000),
        };

  const retentionDays = options.retentionDays ?? engineDefaults.retentionDays;
  const isEdge = options.edge === true;
  if (!isEdge) {
    const maintenance = new Maintenance({
      databaseUrl,
      retentionDays,
      auditDays: options.auditDays ?? engineDefaults.auditDays,
      log,
    });
    await maintenance.prepare();
    maintenance.start();
    onStop(() => maintenance.stop());
  }

  const sealer = await openSecrets(writes, { dataDir: context.dataDir, secretKeyFile: options.secretKeyFile });
  const tokens = new Tokens(reads, await KeyRing.read(reads, sealer));
  const tenant = await ensureTenant(writes, 'default');
  const feed = new JournalFeed(reads);
  /** By task: lines or chunks of it were stored. */
  const linesStored = new KeyedSignal();
  const changes = new ChangeSignal();
  /** By task: nodes of its log were asked or satisfied. */
  const nodesChanged = new KeyedSignal();
  const logs = new LogWriter(writes, (taskIds) => linesStored.changed(taskIds));
  onStop(() => logs.stop());
  const streams = new StreamWriter(writes, (taskIds) => linesStored.changed(taskIds));
  onStop(() => streams.stop());
  const spans = new SpanWriter(writes);
  onStop(() => spans.stop());

  const workerTimeoutMs = options.workerTimeoutMs ?? engineDefaults.workerTimeoutMs;
  const results: RunEndWaiters = new RunEndWaiters({
    pool: reads,
    log,
    isLive: (tenantId, runId) => isLive(owner, tenantId, runId),
  });
  const metrics = new Metrics({
    owner: () => owner,
    pools: { reads, writes, dispatch: payloadReads },
    reads,
    version,
    isEdge,
    isOn: options.metricsPort !== undefined,
    log,
  });
  const core = new EngineCore({
    config: connectionConfig(databaseUrl, 'hatchet lane'),
    clock,
    awake,
    log,
    workerTimeoutMs,
    takesShards: !isEdge,
    mostDeaths: options.maxWorkerDeaths ?? engineDefaults.maxWorkerDeaths,
    payloadReads,
    results,
    logs,
    committed: [
      (history) => feed.publish(history),
      (_, { nodes }) => void (nodesChanged.isWatched && nodesChanged.changed(nodes.map(({ taskId }) => taskId))),
      (history, { results: ends }, effects) => metrics.committed(effects, history, ends),
      () => changes.poke(), // workers come and go without a line in the journal
      () => time.committedNow(),
    ],
    meter: metrics.commits,
    recovered: [() => purge.look(), () => changes.poke(), (states) => metrics.recovered(states)],
    lost: () => {
      metrics.lost();
      changes.poke();
    },
    moved: (shards) => {
      open.endOf((tenantId) => shards.has(shardOf(tenantId)), movedAway());
      changes.poke();
    },
  });
  const { owner, dispatcher, links } = core;
  const time = new EngineQuiet(core);
  const heartbeats = new HeartbeatWriter(writes, log, (ms) => dispatcher.heardWithin(ms));
  onStop(async () => heartbeats.stop());
  // What it recovers is served shard by shard: the ports open meanwhile, and calls wait for their shard.
  const serving = owner.start();
  serving.catch(() => undefined); // awaited below
  onStop(() => owner.stop());

  const audit = new AuditLog({ reads, writes });
  onStop(() => audit.stop());
  const purge = new TenantPurge({ owner, reads, databaseUrl, audit, log });
  if (!isEdge) purge.start();
  onStop(() => purge.stop());
  const open = new OpenCalls(tokens, log);
  onStop(async () => open.stop());
  const limits = new TenantLimits(reads, log);
  const gate = new Gate({ tokens, audit, open, limits, log });
  const commands = edgeCommands(owner, limits, new RetentionBound(retentionDays));
  const connections = new ConnectionGuard();
  const { tls } = context;
  const replica = new Replica({
    owners: owner,
    certificateOf: (id) => readCertificate(reads, id),
    sealer,
    tls,
    host: processHost,
    log,
  });
  onStop(async () => replica.stop());
  const ownerLinks = isEdge ? new LinksToOwners(replica) : undefined;
  if (ownerLinks !== undefined) onStop(async () => ownerLinks.stop());
  const edge = {
    gate,
    log,
    owner: commands,
    connections,
    turns: owner.turns,
    replicas: replica.routes,
    ownerLinks,
    takesCompressed: options.compressedCalls ?? false,
  };
  const followers: LogStreamDeps = {
    pool: reads,
    runEnd: (tenantId, runId, signal) => runEnd(results, { tenantId, runId, signal }),
    logWritten: (taskIds, signal) => linesStored.next(taskIds, { longestMs: othersLinesMs, signal }),
  };
  const logged = new DailyUse('logCharsPerDay');
  const logIntake = new LogIntake(logs, limits, logged);
  const streamIntake = new StreamIntake({ owner: commands, pool: reads, streams, limits });
  const durable = { owner: commands, links, results: new NodeResults(reads), log };
  const together = new CallsTogether({ gate, owner: commands, dispatcher });
  const allowSkip = options.allowSkip ?? false;
  const monitor = monitorHandlers({
    owner: commands,
    logIntake,
    dispatcher,
    feed,
    changes,
    engine: { version, startedAt },
    nodesChanged,
    allowSkip,
    ...followers,
  });
  const services = [
    dispatcherService({ ...edge, dispatcher, results, together, ...followers }),
    workflowService({ ...edge, together }),
    adminService({ ...edge, pool: reads, together }),
    sessionService({ ...edge, dispatcher, results, logIntake, streamIntake, durable }),
    durableService({ ...edge, ...durable, pool: reads }),
    eventsService({ ...edge, pool: reads, logIntake, streamIntake }),
    traceService({ ...edge, spans, limits, logged }),
    monitorService(edge, monitor),
  ];
  const isReady = (): boolean => !replica.isLeaving && ([...owner.states].length > 0 || replica.peers.length > 0);
  const edgeCount = options.edges ?? 0;
  const hasEdges = edgeCount > 0;
  const grpc = await startGrpc({
    host,
    port: hasEdges ? 0 : (options.grpcPort ?? engineDefaults.grpcPort),
    sockets,
    services: withOperatorServices(services, { ...edge, isReady }),
    connections,
    tls,
    interceptors: [strangerInterceptor({ gate, connections, log })],
  });
  onStop(() => grpc.stop(drainMs));
  onStop(async () => dispatcher.stop());
  const webhooks = new WebhookStore(reads, { limits, sealer });
  const rest = await startRest({
    ...edge,
    host,
    port: hasEdges ? 0 : (options.httpPort ?? engineDefaults.httpPort),
    sockets,
    tls,
    allowedHosts: options.allowedHosts ?? [],
    audit,
    tokens,
    webhooks,
    pool: reads,
    version,
    metrics,
    monitor: monitorCalls(monitor),
    page: (options.page ?? engineDefaults.page) ? { files: readPage() } : undefined,
    links: new PageLinks(),
    allowSkip,
    passingOn: replica,
    isReady,
  });
  onStop(() => rest.stop());
  const metricsServer =
    options.metricsPort === undefined
      ? undefined
      : await startMetricsServer({
          metrics,
          host: options.metricsHost ?? engineDefaults.metricsHost,
          port: options.metricsPort,
          tls,
          allowedHosts: options.allowedHosts ?? [],
          log,
        });
  onStop(async () => metricsServer?.stop());

  await serving;
  if (!isEdge) {
    const advertised = options.advertiseHost ?? reachableHost(host);
    await replica.join({ ...grpc.address, host: advertised }, { ...rest.address, host: advertised });
  }
  onStop(async () => {
    // The edges of the only engine have nobody to send their clients to.
    if (sockets === undefined || replica.peers.length > 1)
      await replica.leave({ turnAway: () => grpc.turnAway(drainMs), clients: () => connections.size });
  });
  const edges = hasEdges
    ? await EdgeProcesses.start({
        count: edgeCount,
        host,
        grpcPort: options.grpcPort ?? engineDefaults.grpcPort,
        httpPort: options.httpPort ?? engineDefaults.httpPort,
        engine: edgeOptions(options, context.dataDir),
        databaseUrl,
        log,
      })
    : undefined;
  if (edges !== undefined) onStop(() => edges.stop());
  const reached = edges ?? { grpc: grpc.address, http: rest.address };
  const addresses = {
    serverUrl: `${tls === undefined ? 'http' : 'https'}://${hostPort(reached.http)}`,
    grpcBroadcastAddress: hostPort(reached.grpc),
  };
  // The edges of an engine have its data folder, whose token it keeps itself.
  const token =
    sockets === undefined
      ? await ensureLocalToken(tokens, { dataDir: context.dataDir, tenantId: tenant.id, addresses })
      : '';
  return {
    grpc: reached.grpc,
    http: reached.http,
    metrics: metricsServer?.address,
    tls: options.tls,
    databaseUrl,
    token,
    version,
    startedAt,
    time,
    stop: context.stop,
  };
}

/** @throws HatchetError EDGE_ALONE */
function checkRole({ edge, edges = 0, databaseUrl }: EngineOptions): void {
  if (edge !== true || (edges === 0 && databaseUrl !== undefined)) return;
  throw new HatchetError(
    'EDGE_ALONE',
    edges > 0 ? 'an edge has no edges of its own' : 'an edge has no Postgres of its own: it passes calls on to engines',
    { remedy: 'Give it the database of the engines that hold the shards, and no edges.' },
  );
}

/** What an edge beside its engine is started with, but for its ports; that for metrics is the engine's own. */
function edgeOptions(options: EngineOptions, dataDir: string): EngineOptions {
  const { tls, insecure, allowedHosts, secretKeyFile, metricsPort, metricsHost, logLevel, allowSkip, page } = options;
  const { compressedCalls } = options;
  return {
    edge: true,
    dataDir,
    ...(tls === undefined ? {} : { tls }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
    ...(secretKeyFile === undefined ? {} : { secretKeyFile }),
    ...(metricsPort === undefined ? {} : { metricsPort }),
    ...(metricsHost === undefined ? {} : { metricsHost }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(allowSkip === undefined ? {} : { allowSkip }),
    ...(compressedCalls === undefined ? {} : { compressedCalls }),
    ...(page === undefined ? {} : { page }),
  };
}

function runEnd(
  results: RunEndWaiters,
  options: { tenantId: TenantId; runId: string; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const stop = results.wait(options.tenantId, options.runId, () => resolve());
    options.signal.addEventListener('abort', () => {
      stop();
      resolve();
    });
  });
}
