import { join } from 'node:path';
import { Pool } from 'pg';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { ensureTenant } from '../../engine/auth/tenants.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { startEngine, type EngineOptions, type RunningEngine } from '../../engine/index.ts';
import { topology } from '../topologies.ts';
import { spawnEngine, type EngineChild } from './engine-process.ts';
import { portOfDefaultTenant, untilShared } from './replica-parts.ts';
import { TurnTaking } from './turn-taking.ts';

/** What each of several engines is, in this process or as one of its own. */
interface Kind<Engine> {
  start(options: EngineOptions): Promise<Engine>;
  stop(engine: Engine): Promise<void>;
  served(engine: Engine): Pick<RunningEngine, 'grpc' | 'http' | 'databaseUrl'>;
}

/** Engines on one database that clients see as one. */
interface Together<Engine> {
  /** The engine that has the shard of the tenant `default`; it stops last. */
  owner: Engine;
  all: readonly Engine[];
  grpc: { host: string; port: number };
  http: { host: string; port: number };
  databaseUrl: string;
  /** For these ports. */
  token: string;
  /** As they are asked to: those first that have nothing to give away, or the others to take it. */
  stop(): Promise<void>;
  /** Without the engines, which are gone: their ports. */
  closePorts(): Promise<void>;
}

const host = '127.0.0.1';

async function startTogether<Engine>(kind: Kind<Engine>, options: EngineOptions): Promise<Together<Engine>> {
  const { dataDir = '.hatchet', grpcPort, httpPort, ...others } = options;
  const free = { grpcPort: 0, httpPort: 0 };
  let taking: readonly Engine[] = [];
  const grpc = await TurnTaking.start(() => taking.map((engine) => kind.served(engine).grpc.port), grpcPort);
  const http = await TurnTaking.start(() => taking.map((engine) => kind.served(engine).http.port), httpPort);
  const closePorts = async (): Promise<void> => void (await Promise.all([grpc.stop(), http.stop()]));
  const started: Engine[] = [];
  try {
    const first: Engine = await kind.start({ ...others, dataDir, ...free });
    started.push(first);
    const { databaseUrl } = kind.served(first);
    const beside = {
      secretKeyFile: join(dataDir, 'secret.key'),
      ...others,
      databaseUrl,
      ...free,
      ...(topology === 'edges' ? { edge: true } : {}),
    };
    const startBeside = async (name: string): Promise<void> => {
      started.push(await kind.start({ ...beside, dataDir: `${dataDir}-${name}` }));
    };
    await Promise.all([startBeside('second'), startBeside('third')]);
    let owner: Engine = first;
    if (topology === 'replicas') {
      await untilShared(databaseUrl, started.length);
      const port = await portOfDefaultTenant(databaseUrl);
      owner = started.find((engine) => kind.served(engine).grpc.port === port) ?? first;
    }
    const passing = started.filter((engine) => engine !== owner);
    taking = topology === 'edges' ? passing : [...passing, owner];
    const ports = { grpc: { host, port: grpc.port }, http: { host, port: http.port } };
    const token = await tokenFor(databaseUrl, { ...beside, dataDir }, ports);
    const stop = async (): Promise<void> => {
      for (const engine of [...passing, owner]) {
        taking = taking.filter((each) => each !== engine);
        await kind.stop(engine);
      }
      await closePorts();
    };
    return { owner, all: started, ...ports, databaseUrl, token, stop, closePorts };
  } catch (error) {
    for (const engine of started.reverse()) await kind.stop(engine);
    await closePorts();
    throw error;
  }
}

/** A token names where its engine is: this one names the ports before all of them. */
async function tokenFor(
  databaseUrl: string,
  keys: { dataDir: string; secretKeyFile: string; tls?: unknown },
  { grpc, http }: Pick<Together<unknown>, 'grpc' | 'http'>,
): Promise<string> {
  const pool = new Pool({ connectionString: databaseUrl });
  try {
    const { id: tenantId } = await ensureTenant(pool, 'default');
    const addresses = {
      serverUrl: `${keys.tls === undefined ? 'http' : 'https'}://${http.host}:${http.port}`,
      grpcBroadcastAddress: `${grpc.host}:${grpc.port}`,
    };
    return await new Tokens(pool, await KeyRing.open(pool, keys)).create({ tenantId, name: 'local', addresses });
  } finally {
    await pool.end();
  }
}

/** An engine in this process; more of them where the topology says so, which stop with it. */
export async function startInTopology(options: EngineOptions): Promise<RunningEngine> {
  if (topology === 'one') return startEngine(options);
  const together = await startTogether<RunningEngine>(
    { start: startEngine, stop: (engine) => engine.stop(), served: (engine) => engine },
    options,
  );
  const { grpc, http, token, databaseUrl, owner } = together;
  const { tls, version, startedAt, time } = owner;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= together.stop());
  return { grpc, http, metrics: owner.metrics, token, databaseUrl, tls, version, startedAt, time, stop };
}

/** The built engine as a process of its own; more of them where the topology says so, which end with it, and by the same signal. */
export async function spawnInTopology(
  options: EngineOptions,
  nodeArguments: readonly string[] = [],
): Promise<EngineChild> {
  if (topology === 'one') return spawnEngine(options, nodeArguments);
  if (topology === 'edges') return spawnEngine({ ...options, edges: 2 }, nodeArguments);
  const together = await startTogether<EngineChild>(
    {
      start: (given) => spawnEngine(given, nodeArguments),
      stop: (engine) => engine.end('SIGTERM'),
      served: ({ ready }) => ready,
    },
    options,
  );
  const { owner, all, grpc, http, token, databaseUrl } = together;
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    await Promise.all(all.map((engine) => engine.end(signal)));
    await together.closePorts();
  };
  let ending: Promise<void> | undefined;
  return {
    child: owner.child,
    ready: { ...owner.ready, grpc, http, token, databaseUrl },
    log: () => all.map((engine) => engine.log()).join(''),
    end: (signal) => (ending ??= signal === 'SIGTERM' ? together.stop() : kill(signal)),
    gone: () => ending ?? Promise.all(all.map((engine) => engine.gone())).then(together.closePorts),
  };
}
