import type { ClientConfig, DatabaseError, PoolConfig } from 'pg';
import { shardCount } from '../../../engine/model/ids/shard-of.ts';
import type { Connector, SqlClient, SqlPool } from '../../../engine/postgres/sql-client.ts';
import { Backend, type Server, type Timer } from './backend.ts';
import { SimulatedClient, unreachable, type LineEnds } from './client.ts';
import type { StoreFaults } from './faults.ts';
import { SimulatedPool } from './pool.ts';
import type { SimulatedProcess } from './process.ts';
import { refusal } from './refusal.ts';
import { makeTables, type TableName, type Tables } from './schema.ts';
import { Settings } from './settings.ts';
import { statementModels } from './statements/all-statements.ts';
import type { Activity } from './statement.ts';
import { Blocked, Transaction } from './transaction.ts';
import { Wire, type Delivery } from './wire.ts';

/** What a commit that did not wait for the disk may be lost within, µs: three rounds of the WAL writer. */
const unflushedUs = 600_000;

/** The machine that the store runs on, as the world moves it. */
export interface StoreMachine extends Delivery {
  /** Microseconds since 1970. */
  nowUs(): number;
  after(ms: number, run: () => void): Timer;
}

/** Connections of one process, and their end with it. */
export interface ProcessConnector extends Connector {
  /** The process is no more. @param noticedMs after which the store is told, where its machine went with it; what was on its way is lost then */
  crash(noticedMs?: number): void;
}

/** A model of Postgres with the engine's tables: the statements that the engine sends, their transactions, locks and failures. */
export class SimulatedStore {
  readonly tables: Tables = makeTables(() => this.#snapshots > 0);
  readonly #machine: StoreMachine;
  readonly #faults: StoreFaults;
  readonly #committed: () => void;
  readonly #refused: (error: DatabaseError) => void;
  readonly #backends = new Map<number, Backend>();
  #commits = 0;
  #snapshots = 0;
  #pids = 100;
  #isDown = false;
  /** Commits that are not on disk, oldest first. */
  #unflushed: { atUs: number; undo: () => void }[] = [];

  /** @param options.committed is called after each commit that has changed anything; refused for each statement that is refused */
  constructor(options: {
    machine: StoreMachine;
    faults?: StoreFaults;
    committed?: () => void;
    refused?: (error: DatabaseError) => void;
  }) {
    this.#machine = options.machine;
    this.#faults = options.faults ?? {};
    this.#committed = options.committed ?? (() => undefined);
    this.#refused = options.refused ?? (() => undefined);
    for (let id = 0; id < shardCount; id++)
      this.put('shard', { id, owner: null, epoch: 0, last_batch: 0, last_seq: 0, lost_us: 0, absent_since: null });
  }

  /** Puts a row there, as whoever made the database did. */
  put(table: TableName, values: Readonly<Record<string, unknown>>): void {
    const transaction = new Transaction(this.#machine.nowUs());
    this.tables[table].insert(transaction, values);
    transaction.commit(++this.#commits, false);
  }

  /** Changes rows, as a process that is no engine of the simulation. @throws Blocked where somebody holds them */
  change(run: (transaction: Transaction) => void): void {
    const transaction = new Transaction(this.#machine.nowUs());
    try {
      run(transaction);
    } catch (error) {
      transaction.rollback();
      throw error;
    }
    transaction.commit(++this.#commits, false);
  }

  /** How many transactions were committed. */
  get commits(): number {
    return this.#commits;
  }

  connections(): readonly (Activity & { isWaiting: boolean })[] {
    return [...this.#backends.values()].map(({ pid, applicationName, startUs, isWaiting }) => ({
      pid,
      applicationName,
      startUs,
      isWaiting,
    }));
  }

  /** All that is committed, by table, each column as text. */
  dump(): Record<string, (string | null)[][]> {
    return Object.fromEntries(Object.entries(this.tables).map(([name, table]) => [name, table.dump()]));
  }

  connector(process: SimulatedProcess): ProcessConnector {
    const wires = new Set<Wire>();
    let isCrashed = false;
    const clients = new Set<SimulatedClient>();
    const client = (config: ClientConfig): SimulatedClient => {
      const made = new SimulatedClient({
        config,
        process,
        dial: (ends) =>
          this.#dial(process, { config, ends, opened: (wire) => void wires.add(wire), isOver: () => isCrashed }),
      });
      clients.add(made);
      return made;
    };
    return {
      client: (config): SqlClient => client(config),
      pool: (config: PoolConfig): SqlPool => new SimulatedPool({ config, process, makeClient: () => client(config) }),
      crash: (noticedMs) => {
        isCrashed = true;
        for (const each of clients) each.vanish();
        for (const wire of wires) {
          if (noticedMs === undefined) wire.leave();
          else this.#machine.after(noticedMs, wire.vanish());
        }
        clients.clear();
        wires.clear();
      },
    };
  }

  /** The server dies with all its connections, and with what of the last commits was not on disk. Until `start` nobody can connect. */
  crash(): void {
    this.#isDown = true;
    for (const backend of Array.from(this.#backends.values())) backend.crash();
    const fromUs = this.#machine.nowUs() - unflushedUs;
    const open = this.#unflushed.filter(({ atUs }) => atUs >= fromUs);
    this.#unflushed = [];
    const lost = Math.min(this.#faults.lostByCrash?.(open.length) ?? 0, open.length);
    for (const { undo } of open.slice(open.length - lost).reverse()) undo();
    this.tables.staged_payload.clear();
  }

  start(): void {
    this.#isDown = false;
  }

  #dial(
    process: SimulatedProcess,
    options: { config: ClientConfig; ends: LineEnds; opened: (wire: Wire) => void; isOver: () => boolean },
  ): void {
    const { config, ends } = options;
    const applicationName = (config.application_name ?? '').slice(0, 63);
    const fault = this.#faults.connect?.(process.name, applicationName);
    const open = (): void => {
      if (options.isOver()) return;
      if (this.#isDown || fault?.kind === 'refuse') {
        const sqlstate = fault?.kind === 'refuse' ? fault.sqlstate : undefined;
        const error = sqlstate === undefined ? unreachable() : refusal(sqlstate, 'refused by the world', 'FATAL');
        return process.deliver(() => ends.refused(error));
      }
      const wire = new Wire({ server: this.#machine, client: process, clientEnd: ends });
      const pid = ++this.#pids;
      const settings = new Settings(config);
      const server = this.#server();
      const backend = new Backend({ pid, server, wire, settings, applicationName, processName: process.name });
      wire.accept(backend);
      options.opened(wire);
      this.#backends.set(pid, backend);
      process.deliver(() => ends.opened(wire));
    };
    if (fault?.kind === 'delay') this.#machine.after(fault.ms, open);
    else this.#machine.deliver(open);
  }

  #server(): Server {
    return {
      tables: this.tables,
      statements: statementModels,
      commits: () => this.#commits,
      nowUs: () => this.#machine.nowUs(),
      after: (ms, run) => this.#machine.after(ms, run),
      soon: (run) => this.#machine.deliver(run),
      activity: () => this.connections(),
      terminate: (pid, untilUs) => this.#terminate(pid, untilUs),
      committed: (transaction, waitsForDisk) => this.#commit(transaction, waitsForDisk),
      snapshots: (change) => {
        this.#snapshots += change;
      },
      faultOf: (message) => this.#faults.message?.(message),
      refused: (error) => this.#refused(error),
      inAnyOrder: (rows) => this.#faults.inAnyOrder?.(rows) ?? rows,
      gone: (backend) => this.#backends.delete(backend.pid),
    };
  }

  #terminate(pid: number, untilUs: number): boolean {
    const backend = this.#backends.get(pid);
    if (backend === undefined || backend.terminate()) return true;
    if (this.#machine.nowUs() >= untilUs) return false;
    throw new Blocked(backend.ended, untilUs);
  }

  #commit(transaction: Transaction, waitsForDisk: boolean): void {
    const { hasChanged } = transaction;
    const undo = transaction.commit(++this.#commits, hasChanged && !waitsForDisk);
    if (!hasChanged) return;
    if (waitsForDisk) this.#unflushed = [];
    else this.#unflushed.push({ atUs: this.#machine.nowUs(), undo });
    this.#committed();
  }
}
