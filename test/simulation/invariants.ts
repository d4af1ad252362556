import type { DatabaseError } from 'pg';
import type { WorkerMessage } from '../../engine/dispatch/worker-session.ts';
import { EntryKind } from '../../engine/model/durable/durable.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import type { HistoryRow } from '../../engine/model/stored-rows.ts';
import { readJournalLetters } from '../../engine/model/task/journal-letters.ts';
import { isRunTransition, type Transition } from '../../engine/model/task/transition.ts';
import type { ShardState } from '../../engine/plan/state/shard-state.ts';
import { recoverShard } from '../../engine/shard/recovery/recover-shard.ts';
import { readShardContents } from '../../engine/shard/recovery/shard-contents.ts';
import { brokenMemory, shardImage } from './shard-image.ts';
import { EventOrder } from './event-order.ts';
import { DirectSql } from './direct-sql.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import { Transaction } from './store/transaction.ts';
import type { DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { JudgedSurroundings, Judge } from './surroundings.ts';

/** Of so many transactions, one is followed by a comparison of memory with a whole recovery. */
const samples = 40;
/** What time brings is carried out within this, by an engine that works. */
const latestMs = 4_000;

/** After these a task's journal goes on only where somebody replays it. */
const ended = new Set<Transition>(['FINISHED', 'SKIPPED', 'CANCELLED', 'SCHEDULING_TIMED_OUT']);

/** What has to hold after every step. The first thing that does not is what a simulation reports. */
export class Invariants implements Judge {
  readonly #world: JudgedSurroundings;
  readonly #sql: DirectSql;
  readonly events: EventOrder;
  readonly #arrived = new Map<string, string>();
  /** By task, the last attempt that an engine has sent. */
  readonly #sent = new Map<string, number>();
  /** By task, the last transition of its journal. */
  readonly #last = new Map<string, Transition>();
  /** By shard, the last number that its journal was given. */
  readonly #lastSeq = new Map<number, number>();
  /** Runs that their callers were told of. */
  readonly #acknowledged = new Set<string>();
  #commits = 0;
  /** Transactions that were let out with another one planned already. */
  ahead = 0;
  /** By engine and shard, under which it was served last. */
  readonly #epochs = new Map<SimulatedEngine, Map<number, number>>();
  /** By shard and epoch. */
  readonly #servedUnder = new Map<string, SimulatedEngine>();
  /** By engine, the shards that it has given to others in order and does not serve again. */
  readonly #handedOver = new Map<SimulatedEngine, Set<number>>();
  /** Engines with something that is due, and since when. */
  readonly #lateSince = new Map<SimulatedEngine, { sinceMs: number; commits: number }>();
  /** Shards whose memory is to be compared with their rows, once this step is over. */
  readonly #toCompare = new Map<ShardState, string>();
  violation: string | undefined;
  /** Nothing goes wrong: all that is assigned is sent, by whichever engine has its shard. */
  sendsAll = false;

  constructor(world: JudgedSurroundings) {
    this.#world = world;
    this.events = new EventOrder(world);
    this.#sql = new DirectSql(world.store, () => world.storeUs);
  }

  /** Not those that it served under the epoch that is stored still. */
  lostShards(engine: SimulatedEngine, { shards }: { shards: readonly number[] }): void {
    const own = shards.filter((id) => {
      const row = this.#shardRow(id);
      return row?.owner === engine.ownerId && row?.epoch === this.#epochs.get(engine)?.get(id);
    });
    if (own.length > 0) this.broken(`${engine.process.name} gave up shards that it owns: ${own.join()}`);
  }

  /** Who has taken shards does not wait for the disk: epochs may come again, and nothing is stored under those that are lost. */
  storeCrashed(): void {
    this.#servedUnder.clear();
  }

  /** Between two transactions: nothing more is told of them. */
  handedOver(engine: SimulatedEngine, { shards }: { shards: readonly number[] }): void {
    const gone = this.#handedOver.get(engine) ?? new Set<number>();
    for (const id of shards) gone.add(id);
    this.#handedOver.set(engine, gone);
  }

  broken(what: string): void {
    this.violation ??= what;
  }

  /** An attempt has reached a worker: each does so once. */
  arrived(worker: string, key: string): void {
    const before = this.#arrived.get(key);
    if (before !== undefined) this.broken(`attempt ${key} was started on ${before}, and again on ${worker}`);
    this.#arrived.set(key, worker);
    this.#world.note(`${worker} runs ${key}`);
  }

  /** An engine is about to tell a worker. */
  sent(engine: SimulatedEngine, message: WorkerMessage): void {
    this.#world.note(`${engine.process.name} sends ${message.kind} ${message.taskId}/${message.attempt}`);
    if (message.kind === 'cancel') return;
    this.#sent.set(message.taskId, message.attempt);
    const live = this.#rowOf('live', message.taskId);
    if (live === undefined ? this.#resultsOf(message.taskId) === 0 : Number(live['attempt']) < message.attempt)
      this.broken(`attempt ${message.taskId}/${message.attempt} was sent before it was stored`);
  }

  /** A durable task is about to be told what became of its request. */
  answered(response: NonNullable<DurableTaskResponse['message']>): void {
    if (response.$case === 'triggerRunsAck') {
      for (const { branchId, nodeId } of response.value.runEntries)
        this.#checkNode(response.value.durableTaskExternalId, { branchId, nodeId }, EntryKind.Child);
    } else if (response.$case === 'waitForAck' || response.$case === 'memoAck') {
      const { ref } = response.value;
      if (ref !== undefined)
        this.#checkNode(ref.durableTaskExternalId, ref, response.$case === 'memoAck' ? EntryKind.Memo : EntryKind.Wait);
    }
  }

  #checkNode(taskId: string, { branchId, nodeId }: { branchId: bigint; nodeId: bigint }, kind: EntryKind): void {
    const at = new Transaction(this.#world.storeUs);
    const entry = this.#world.store.tables.durable_entry.get(at, taskId, Number(branchId), Number(nodeId));
    if (entry === undefined)
      this.broken(`task ${taskId} is told of node ${branchId}/${nodeId}, which is not in its log`);
    else if (entry.kind !== kind)
      this.broken(`task ${taskId} is told of node ${branchId}/${nodeId} as the answer to something else`);
  }

  acknowledged(runId: string): void {
    this.#acknowledged.add(runId);
    if (this.#rowOf('run', runId) === undefined) this.broken(`run ${runId} was acknowledged before it was stored`);
  }

  runEnded(runId: string): void {
    const at = new Transaction(this.#world.storeUs);
    const ends = this.#world.store.tables.run_end.find(at, 'run_id', runId);
    if (!ends.some((end) => end.status !== 0) && this.#resultsOf(runId) === 0)
      this.broken(`run ${runId} was told to have ended before that was stored`);
  }

  /** A transaction is stored and its effects are out: memory is what is stored. */
  committed(engine: SimulatedEngine, history: readonly HistoryRow[], nodes: readonly { taskId: string }[]): void {
    this.#commits++;
    const odd = this.events.look(nodes);
    if (odd !== undefined) this.broken(odd);
    const isSample = this.#commits % samples === 0;
    if (this.#statesOf(engine).some(({ undo }) => !undo.isEmpty)) this.ahead++;
    for (const state of this.#statesOf(engine)) {
      const shard = this.#shardRow(state.id);
      if (shard?.epoch !== state.epoch) continue;
      if (shard.last_batch !== state.lastTransaction)
        this.broken(
          `shard ${state.id} has transaction ${shard.last_batch}, and the memory of ${engine.process.name} ${state.lastTransaction}`,
        );
      // Memory is ahead of its rows by what is planned already.
      if (state.tasks.size === 0 || !state.undo.isEmpty) continue;
      this.#compareLive(engine, state);
      const why = brokenMemory(state);
      if (why !== undefined) this.broken(`memory of ${engine.process.name}: ${why}`);
      if (isSample) this.#toCompare.set(state, engine.process.name);
    }
    if (this.#commits % 4 === 0) this.#checkTime(engine);
    this.#noteEpochs(engine, this.#statesOf(engine));
    this.#readJournal(engine, history);
  }

  /** Whatever else there is to do, what is due gets its turn. What Postgres refuses is put off. */
  #checkTime(engine: SimulatedEngine): void {
    const nowUs = engine.owner.nowUs;
    let isLate = false;
    for (const state of this.#statesOf(engine)) isLate ||= engine.owner.nextDueUs(state) < nowUs - 1_000_000;
    if (!isLate || this.#world.faults.werePoisonous) {
      this.#lateSince.delete(engine);
      return;
    }
    const late = this.#lateSince.get(engine) ?? { sinceMs: this.#world.scheduler.nowMs, commits: 0 };
    late.commits++;
    this.#lateSince.set(engine, late);
    const lateMs = this.#world.scheduler.nowMs - late.sinceMs;
    if (lateMs > latestMs && late.commits > 50)
      this.broken(
        `${engine.process.name} has left what is due undone for ${Math.round(lateMs)} ms and ${late.commits} transactions`,
      );
  }

  /** These shards are served now; transactions of others may be under way. */
  recovered(engine: SimulatedEngine, states: readonly ShardState[]): void {
    for (const { id, epoch } of states) {
      const other = this.#servedUnder.get(`${id} ${epoch}`);
      if (other !== undefined && other !== engine)
        this.broken(`${engine.process.name} and ${other.process.name} serve shard ${id} under one epoch, ${epoch}`);
      this.#servedUnder.set(`${id} ${epoch}`, engine);
    }
    this.#noteEpochs(engine, states);
    for (const { id } of states) this.#handedOver.get(engine)?.delete(id);
    for (const state of states)
      if (state.tasks.size > 0 && this.#shardRow(state.id)?.epoch === state.epoch) {
        this.#compareLive(engine, state);
        const why = brokenMemory(state);
        if (why !== undefined) this.broken(`recovered memory of ${engine.process.name}: ${why}`);
      }
  }

  /** What has to be compared with a recovery is compared before anything else happens. */
  async afterStep(): Promise<void> {
    for (const [state, name] of this.#toCompare) {
      this.#toCompare.delete(state);
      // Planned already again, as the second half of a refused transaction is at once: memory is ahead of its rows.
      if (!state.undo.isEmpty) continue;
      await this.#compareRecovered(state, name);
    }
  }

  /** What engines know to be stored, or are told that it may be, they do not store again. */
  refused({ code, message, detail }: DatabaseError): void {
    if (code === '23505' && message.includes('"run_pkey"')) this.broken(`a run is stored twice: ${detail}`);
  }

  /** At the end of a history. */
  lost(): string[] {
    return [...this.#acknowledged].filter((runId) => this.#rowOf('run', runId) === undefined);
  }

  /** Calls of which more than one run or event is stored, at the end of a history. */
  doubled(): number[] {
    const { run, event } = this.#world.store.tables;
    const at = new Transaction(this.#world.storeUs);
    const texts = [[...run.rows(at)].map(({ input }) => input), [...event.rows(at)].map(({ payload }) => payload)];
    return texts.flatMap((of) => {
      const calls = of.flatMap((text) => callIn(text) ?? []);
      return calls.filter((call, index) => calls.indexOf(call) !== index);
    });
  }

  #noteEpochs(engine: SimulatedEngine, states: readonly ShardState[]): void {
    const epochs = this.#epochs.get(engine) ?? new Map<number, number>();
    this.#epochs.set(engine, epochs);
    for (const { id, epoch } of states) epochs.set(id, epoch);
  }

  /** Of the shards that anything happens in. */
  #statesOf(engine: SimulatedEngine): ShardState[] {
    return this.#world.tenantIds.flatMap((tenantId) => engine.owner.stateOf(tenantId) ?? []);
  }

  #rowOf(table: 'live' | 'run', id: string): Readonly<Record<string, unknown>> | undefined {
    return this.#world.store.tables[table].get(new Transaction(this.#world.storeUs), id);
  }

  #resultsOf(taskId: string): number {
    return this.#world.store.tables.result.find(new Transaction(this.#world.storeUs), 'task_id', taskId).length;
  }

  #shardRow(id: number): { epoch: number; last_batch: number; owner: string | null } | undefined {
    return this.#world.store.tables.shard.get(new Transaction(this.#world.storeUs), id);
  }

  #compareLive(engine: SimulatedEngine, state: ShardState): void {
    const rows = this.#world.store.tables.live.find(new Transaction(this.#world.storeUs), 'shard', state.id);
    const { tasks } = state;
    const where = `memory of ${engine.process.name}`;
    if (rows.length !== tasks.size)
      return this.broken(`${where} has ${tasks.size} tasks of shard ${state.id}, and its rows ${rows.length}`);
    for (const stored of rows) {
      const row = tasks.find(stored.task_id);
      if (row === undefined) return this.broken(`${where} lacks task ${stored.task_id}`);
      const [is, has] = [
        [
          tasks.state[row],
          tasks.flags[row],
          tasks.attempt[row],
          tasks.generation[row],
          state.workerOf(row)?.id ?? null,
        ],
        [stored.state, stored.flags, stored.attempt, stored.generation, stored.worker_id],
      ].map((each) => each.join(' '));
      if (is !== has) return this.broken(`${where} has task ${stored.task_id} as ${is}, and its row is ${has}`);
    }
  }

  /** An attempt goes elsewhere. Its start may have been lost with the engine that it was passed on by, but not be left out. */
  #checkSent(taskId: string): void {
    if (this.#last.get(taskId) === 'COULD_NOT_SEND_TO_WORKER') return;
    const attempt = Number(this.#rowOf('live', taskId)?.['attempt'] ?? 0);
    if ((this.#sent.get(taskId) ?? -1) < attempt - 1)
      this.broken(`attempt ${taskId}/${attempt - 1} was never sent, though nothing went wrong`);
  }

  /** By the store's clock, whatever the engine's machine shows. */
  #checkSchedule(runId: string): void {
    if (this.#world.storeClockWasSet) return;
    const at = new Transaction(this.#world.storeUs);
    const tenants = this.#world.tenantIds.flatMap((id) => this.#world.store.tables.schedule.find(at, 'tenant_id', id));
    const schedule = tenants.find((each) => each.run_id === runId);
    if (schedule !== undefined && schedule.due_us > this.#world.storeUs + 1_000_000)
      this.broken(`schedule ${schedule.id} has fired ${(schedule.due_us - this.#world.storeUs) / 1e6} s too early`);
  }

  async #compareRecovered(state: ShardState, name: string): Promise<void> {
    const content = (await readShardContents(this.#sql)).get(state.id);
    if (content === undefined) return;
    const { id, epoch, lastTransaction, seq, lostUs } = state;
    const recovered = await recoverShard(
      this.#sql,
      { id, epoch, lastTransaction, seq, lostUs },
      { content, nowUs: this.#world.storeUs, host: this.#world.outside },
    );
    if (recovered.setAside.length > 0)
      return this.broken(`rows cannot be read: ${JSON.stringify(recovered.setAside[0])}`);
    const [is, has] = [shardImage(state), shardImage(recovered.state)];
    const odd = is.find((line) => !has.includes(line)) ?? has.find((line) => !is.includes(line));
    if (odd === undefined) return;
    const start = odd.split(' ').slice(0, 2).join(' ');
    const pair = [is, has].map((lines) => lines.find((line) => line.startsWith(start)) ?? 'nothing of it');
    this.broken(`memory of ${name} says\n  ${pair[0]}\nand what is recovered from the rows\n  ${pair[1]}`);
  }

  /** The last transition of a task that is stored with a lower number of the shard's. */
  #storedBefore(taskId: string, seq: number): Transition | undefined {
    const rows = this.#world.store.tables.history.find(new Transaction(this.#world.storeUs), 'task_id', taskId);
    return rows
      .filter((row) => row.seq < seq)
      .sort((one, other) => one.seq - other.seq)
      .flatMap((row) => readJournalLetters(row.kinds))
      .findLast((transition) => !isRunTransition(transition));
  }

  #readJournal(engine: SimulatedEngine, history: readonly HistoryRow[]): void {
    for (const { taskId, tenantId, seq, transitions, runId } of history) {
      this.#world.note(`${engine.process.name} journal ${taskId} ${transitions.join(' ')}`);
      const shard = shardOf(tenantId);
      if (this.#handedOver.get(engine)?.has(shard) === true)
        this.broken(`${engine.process.name} told of task ${taskId} after it had handed shard ${shard} over`);
      if (engine.owner.stateOf(tenantId)?.epoch !== this.#shardRow(shard)?.epoch) {
        // Told after another engine took the shard: what that one has said of the task already is not known here.
        this.#last.delete(taskId);
        continue;
      }
      if (seq <= (this.#lastSeq.get(shard) ?? 0))
        this.broken(`the journal of shard ${shard} goes back: ${seq} after ${this.#lastSeq.get(shard)}`);
      this.#lastSeq.set(shard, seq);
      if (transitions.includes('RUN_CREATED')) this.#checkSchedule(runId);
      if (this.sendsAll && transitions.includes('REASSIGNED')) this.#checkSent(taskId);
      for (const transition of transitions) {
        if (isRunTransition(transition)) continue;
        let before = this.#last.get(taskId);
        // What an engine had stored when it ended, it may never have told.
        if (before !== undefined && ended.has(before)) before = this.#storedBefore(taskId, seq) ?? before;
        if (before !== undefined && ended.has(before) && transition !== 'RETRIED_BY_USER' && transition !== 'CREATED')
          this.broken(`the journal of task ${taskId} has ${transition} after ${before}`);
        if (transition === 'FINISHED' && before === 'FINISHED') this.broken(`task ${taskId} has completed twice`);
        this.#last.set(taskId, transition);
      }
    }
  }
}

/** The number of the call that a run or an event comes from, where it comes from a caller. */
function callIn(text: string | null): number | undefined {
  const number = /"call":(\d+)/.exec(text ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}
