import {
  plainStep,
  plainWorkflow,
  type StepDefinition,
  type WorkflowDefinition,
} from '../../engine/model/definition.ts';
import { HatchetError } from '../../engine/base/errors.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import type { ResultRow, RunEndRow, RunInsert, TaskInsert } from '../../engine/model/stored-rows.ts';
import { SettleBudget } from '../../engine/plan/state/settle-budget.ts';
import type { ChangeSet } from '../../engine/plan/state/change-set.ts';
import { skippedOutput } from '../../engine/model/task/skipped-output.ts';
import type { Command, CommandByKind, CommandKind, ReplyByKind } from '../../engine/plan/commands/command.ts';
import { noFacts, type Facts, type StoredEnd } from '../../engine/plan/commands/loaded-facts.ts';
import type { StoredRun } from '../../engine/plan/lifecycle/stored-run.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';
import type { Effect } from '../../engine/model/task/effect.ts';
import { settleRows } from '../../engine/plan/state/live-rows.ts';
import { ShardState } from '../../engine/plan/state/shard-state.ts';
import { TenantLines } from '../../engine/shard/tenant-lines.ts';
import { partsOf } from '../../engine/shard/command-parts.ts';
import { JobPayloads } from '../../engine/shard/job-payloads.ts';
import { jobOf, type Job } from '../../engine/shard/job.ts';
import {
  forgetSealed,
  planTransaction,
  rollbackSealed,
  rollbackTransaction,
  sealTransaction,
  type PlannedTransaction,
} from '../../engine/shard/plan-transaction.ts';
import { createLog } from '../../engine/base/log.ts';
import { brokenInvariant } from './planner-invariants.ts';
import { differenceOf, writtenBy } from './same-changes.ts';
import type { Stored } from './stored.ts';
import { tenantOf } from './tenant.ts';

export const tenantId = tenantOf('00000000-0000-7000-8000-00000000000a');

export function stepOf(name: string, options: Partial<StepDefinition> = {}): StepDefinition {
  return {
    name,
    action: `wf:${name}`,
    parents: [],
    retries: 0,
    backoffFactor: null,
    backoffMaxSeconds: null,
    executionTimeoutMs: 60_000,
    scheduleTimeoutMs: 300_000,
    slots: { default: 1 },
    durable: false,
    ...plainStep,
    ...options,
  };
}

export function workflowOf(
  name: string,
  steps: StepDefinition[],
  options: Partial<WorkflowDefinition> = {},
): WorkflowDefinition {
  return { name, description: '', defaultPriority: 1, inputJsonSchema: null, steps, ...plainWorkflow, ...options };
}

const log = createLog('silent');
const unheard = { answer: (): void => undefined, reject: (): void => undefined };

/** The planner, called as the owner calls it, with a clock of the test's and, instead of Postgres, the rows that it asked to write. */
export class PlannerWorld {
  nowUs = 1_800_000_000_000_000;
  /** For how long the engine has stood still in all. */
  standstillUs = 0;
  state = new ShardState({ id: shardOf(tenantId), epoch: 1, lastTransaction: 0, seq: 0, lostUs: 0 });
  readonly stored: Stored = {
    live: new Map(),
    results: new Map(),
    runEnds: new Map(),
    history: [],
    waits: new Map(),
    runs: new Map(),
    reopened: new Set(),
  };
  readonly effects: Effect[] = [];
  /** Places that a group may keep after its limit was lowered. */
  loosestMaxRuns = 0;
  #ids: number;
  /** By run: as its expressions would give them again. */
  readonly #demands = new Map<string, readonly StepDemands[] | null>();

  readonly #idPrefix: string;

  /** @param ids of worlds that share a database: dated like one of today, and counted from a number of their own */
  constructor(ids = { like: '01900000-0000-7000-8000-000000000000', from: 0 }) {
    this.#ids = ids.from;
    this.#idPrefix = ids.like.slice(0, 13);
  }

  id(): string {
    this.#ids++;
    return `${this.#idPrefix}-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  }

  /** Whether transactions follow by themselves for what one has no room for, as they do in the engine. */
  goesOn = true;
  /** What the next transaction may settle. */
  budget = (): SettleBudget => SettleBudget.forTransaction({ isShared: false });
  /** Whether commands find the room that a transaction has while several tenants are there. */
  isShared = false;
  /** Whether the next transaction is taken back once, as if the database had refused it, and planned anew. */
  isTakenBack = (): boolean => false;
  /** Whether memory is tidied after the next transaction, as when none was planned beside it. */
  isTidied = (): boolean => true;
  /** Brings into memory what the loader does before a plan. */
  load: ((commands: readonly Command[]) => void) | undefined;
  /** Given what every committed transaction writes. */
  write: ((changes: ChangeSet) => void) | undefined;
  /** Told of every transaction that was committed, with the time that it saw. */
  watch: ((commands: readonly Command[], nowUs: number) => void) | undefined;
  /** Told of every transaction that was taken back. */
  tookBack: (() => void) | undefined;
  readonly #lines = new TenantLines();

  /** Plans a command as the owner does, in parts where it brings much, and commits it. @throws what it is refused with */
  run<K extends CommandKind>(command: CommandByKind[K] & { kind: K }): ReplyByKind[K] {
    const parts = partsOf<K>(command);
    const replies: { reply: ReplyByKind[K] }[] = [];
    const refusals: Error[] = [];
    for (const [index, part] of (parts?.commands ?? [command]).entries())
      this.#lines.push(
        this.#jobOf<K>(part, {
          answer: (reply) => void (replies[index] = { reply }),
          reject: (error) => void refusals.push(error),
        }),
      );
    this.#empty();
    const [refusal] = refusals;
    if (refusal !== undefined) throw refusal;
    const [only] = replies;
    if (only === undefined) throw new Error(`${command.kind} was not answered`);
    return parts === undefined ? only.reply : parts.join(replies.map(({ reply }) => reply));
  }

  /** Sends commands at once: transactions take them from their lines as they have room. */
  send(commands: readonly Command[]): void {
    for (const command of commands)
      for (const part of partsOf(command)?.commands ?? [command]) this.#lines.push(this.#jobOf(part, unheard));
    this.#empty();
  }

  /** Plans commands as one transaction and commits it. */
  runTogether(commands: readonly Command[]): void {
    this.#transact(commands.map((command) => this.#jobOf(command, unheard)));
    if (this.goesOn) this.goOn();
  }

  /** Further transactions, for what the last one had no room for. @returns how many */
  goOn(most = Infinity): number {
    let done = 0;
    for (; done < most && this.state.hasMore; done++) {
      if (done === 10_000) throw new Error('settling never ends');
      this.#transact([]);
    }
    return done;
  }

  /** Plans commands as one transaction, then takes it back as if the database had refused it. */
  rollback(commands: readonly Command[]): void {
    this.load?.(commands);
    this.nowUs += 1000;
    rollbackTransaction(this.#plan(commands.map((command) => this.#jobOf(command, unheard))));
  }

  #empty(): void {
    while (this.#lines.size > 0) this.#transact(this.#lines.take(() => true, this.isShared));
    if (this.goesOn) this.goOn();
  }

  #jobOf<K extends CommandKind>(
    command: CommandByKind[K] & { kind: K },
    answers: { answer: (reply: ReplyByKind[K]) => void; reject: (error: Error) => void },
  ): Job {
    const given = { shard: this.state.id, command, payloads: new JobPayloads(command) };
    return jobOf<K>(given, {
      queuedAtMs: 0,
      answer: answers.answer,
      reject: (error) => {
        // What no command may bring about is no refusal.
        if (error instanceof HatchetError && error.code === 'COMMAND_FAILED') throw error.cause;
        answers.reject(error);
      },
    });
  }

  /** As the commit cycle does it, with the rows of this world in place of Postgres. */
  #transact(jobs: readonly Job[]): void {
    this.load?.(jobs.map(({ command }) => command));
    this.nowUs += 1000;
    const transaction = this.isTakenBack() ? this.#planTwice(jobs) : this.#plan(jobs);
    if (transaction.again.length > 0) throw new Error('this world evaluates no expressions ahead of a plan');
    sealTransaction(transaction);
    this.#store(transaction.changes);
    forgetSealed(transaction);
    if (this.isTidied()) settleRows(this.state);
    this.watch?.(
      transaction.jobs.map(({ command }) => command),
      this.nowUs,
    );
    for (const { answer } of transaction.outcomes) answer();
  }

  #plan(jobs: readonly Job[], budget = this.budget()): PlannedTransaction {
    const { state } = this;
    return planTransaction(jobs, new Map(jobs.map((job) => [job, this.factsFor(job.command)])), {
      stateOf: () => state,
      clock: { nowUs: () => this.nowUs, standstillUs: () => this.standstillUs },
      log,
      budget,
      unsettled: state.hasMore ? [state] : [],
    });
  }

  /** The first plan leaves no trace, and the second is the first again. */
  #planTwice(jobs: readonly Job[]): PlannedTransaction {
    const before = JSON.stringify(this.image());
    const { admissions, assignments, rounds } = this.budget();
    const budget = (): SettleBudget => new SettleBudget(admissions, assignments, rounds === 1);
    const first = this.#plan(jobs, budget());
    const written = writtenBy(first.changes);
    rollbackTransaction(first);
    this.tookBack?.();
    const leavesNoTrace = (): void => {
      if (JSON.stringify(this.image()) !== before) throw new Error('a transaction that was taken back left a trace');
    };
    leavesNoTrace();
    // One that is being committed is taken back with what was planned beside it.
    const half = Math.ceil(jobs.length / 2);
    const sealed = this.#plan(jobs.slice(0, half), budget());
    sealTransaction(sealed);
    this.#plan(jobs.slice(half), budget());
    rollbackSealed(sealed);
    this.tookBack?.();
    leavesNoTrace();
    const second = this.#plan(jobs, budget());
    const difference = differenceOf(written, writtenBy(second.changes));
    if (difference !== undefined) throw new Error(`planned anew, a transaction is another: ${difference}`);
    return second;
  }

  register(options: {
    actions: string[];
    slots?: number;
    labels?: Record<string, string | number>;
    runtime?: Record<string, string>;
  }): string {
    const workerId = this.id();
    this.run({
      kind: 'registerWorker',
      tenantId,
      workerId,
      name: 'w',
      actions: options.actions,
      slots: { default: options.slots ?? 10 },
      labels: options.labels ?? {},
      runtime: options.runtime ?? {},
    });
    this.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    return workerId;
  }

  put(definition: WorkflowDefinition): void {
    this.run({
      kind: 'putWorkflow',
      tenantId,
      definition,
      checksum: JSON.stringify(definition),
      workflowId: this.id(),
      versionId: this.id(),
      filterIds: [],
      crons: [],
    });
  }

  trigger(workflow: string, priority = 1, demands: readonly StepDemands[] | null = null): string {
    return this.run(this.triggerOf(workflow, priority, demands)).runIds[0] ?? '';
  }

  triggerOf(workflow: string, priority = 1, demands: readonly StepDemands[] | null = null): CommandByKind['trigger'] {
    const version = this.state.latestVersion(tenantId, workflow);
    if (version === undefined) throw new Error(`no workflow ${workflow}`);
    const runId = this.id();
    const taskIds = version.definition.steps.length === 1 ? [runId] : version.definition.steps.map(() => this.id());
    this.#demands.set(runId, demands);
    const run = {
      runId,
      taskIds,
      versionId: version.versionId,
      input: '{}',
      metadata: '{}',
      priority,
      parentTaskId: null,
      childIndex: null,
      childKey: null,
      filterPayload: null,
      placement: null,
      idempotency: null,
      ownId: false,
      earlierIds: [],
      demands,
    };
    return { kind: 'trigger', tenantId, runs: [run] };
  }

  replayOf(ids: readonly string[]): CommandByKind['replay'] {
    return { kind: 'replay', tenantId, ids };
  }

  /** What the loader would find in the stored rows. */
  factsFor(command: Command): Facts {
    switch (command.kind) {
      case 'replay':
        return { ...noFacts, storedRuns: this.storedRuns(command.ids) };
      case 'durableAsk':
        return { ...noFacts, storedIds: new Set(this.stored.runs.keys()), ends: this.#ends() };
      default:
        return noFacts;
    }
  }

  /** The runs that the ids of runs or tasks name. */
  protected storedRuns(ids: readonly string[]): StoredRun[] {
    const asked = new Set(ids);
    return [...this.stored.runs.values()]
      .filter((run) => asked.has(run.id) || run.tasks.some((task) => asked.has(task.id)))
      .map((run) => this.#loaded(run));
  }

  /** By run, how its newest generation ended. */
  #ends(): Map<string, StoredEnd> {
    const newest = new Map<string, RunEndRow>();
    for (const end of this.stored.runEnds.values())
      if (end.generation >= (newest.get(end.runId)?.generation ?? 0)) newest.set(end.runId, end);
    const ends = new Map<string, StoredEnd>();
    for (const { runId, status, generation } of newest.values())
      if (status !== 0) ends.set(runId, { status, generation });
    return ends;
  }

  #loaded(run: RunInsert & { demands: readonly StepDemands[] | null; tasks: TaskInsert[] }): StoredRun {
    const newest = (taskId: string): ResultRow | undefined =>
      [...this.stored.results.values()]
        .filter((row) => row.taskId === taskId)
        .sort((a, b) => b.generation - a.generation)[0];
    const tasks = run.tasks.map(({ id, step }) => {
      const result = newest(id);
      return {
        id,
        step,
        generation: result?.generation ?? 1,
        attempt: result?.attempt ?? 0,
        status: result?.status ?? null,
        skipped: result?.output === skippedOutput,
        output: result?.output ?? null,
        outputBytes: Buffer.byteLength(result?.output ?? ''),
        evaluated: new Map(),
        invocation: result?.invocation ?? 0,
        branches: [],
      };
    });
    return { runId: run.id, versionId: run.versionId, priority: run.priority, tasks, demands: run.demands };
  }

  /** What memory says of every task, comparable. */
  memory(): Map<string, string> {
    const { tasks } = this.state;
    const image = new Map<string, string>();
    for (const row of tasks.rows()) {
      image.set(
        tasks.id(row),
        JSON.stringify([
          tasks.state[row],
          tasks.flags[row],
          tasks.attempt[row],
          tasks.retries[row],
          tasks.reassigns[row],
          tasks.priority[row],
          tasks.dueUs[row],
          this.state.workerOf(row)?.id ?? null,
          this.state.runIdOf(row),
        ]),
      );
    }
    return image;
  }

  /** Everything that a rolled-back batch must leave as it was. */
  image(): unknown {
    const { state } = this;
    return {
      memory: [...this.memory()].map(([id, line]) => `${id} ${line}`).sort(),
      queues: [...state.queues.values()].map((queue) => [queue.action, this.#order(queue.action)]),
      workers: [...state.workersById.values()]
        .sort((a, b) => a.index - b.index)
        .map((worker) => [
          worker.id,
          [...worker.used].filter(([, used]) => used !== 0),
          [...worker.tasks].sort((a, b) => a - b),
          worker.paused,
          worker.ended,
          worker.awaySinceUs,
          worker.isBlocked,
        ]),
      held: [...state.tasks.rows()].filter((row) => state.deadlines.isHeld(row)).sort((a, b) => a - b),
      runs: [...state.runsById]
        .map(([id, row]) =>
          [id, state.runs[row]?.outcomes.join(), state.runs[row]?.unfinished, state.runs[row]?.rows].join('/'),
        )
        .sort(),
      latest: [...state.latest.values()].map((version) => version.versionId).sort(),
      // Without batches: a buffer's timer may be early, and is exact again once the buffer was empty. That none is lost is an invariant.
      next: Math.min(state.deadlines.nextUs, state.timers.nextUs, state.nextRefillUs, state.durable.sleeps.nextUs),
      groups: [...state.groups.values()]
        .filter((group) => group.requests > 0)
        .map(
          (group) =>
            `${group.id} ${group.maxRuns} ${group.requests} ${group.held} ${group.members.size} ${group.waiting.length}`,
        )
        .sort(),
      batches: [...state.batches.groups.values()]
        .flatMap((group) => [
          ...[...group.running].map(
            (batch) => `${batch.id} of ${group.id}: ${[...batch.rows].sort((a, b) => a - b).join()}`,
          ),
          ...[...group.buffers]
            .filter(([, { list }]) => list.length > 0)
            .map(([name, { list, bytes }]) => `${group.id} ${name} ${list.length} ${bytes}`),
        ])
        .sort(),
      waits: [...state.waits]
        .map(([row, wait]) => `${row} ${JSON.stringify(wait)} ${state.eventWaiters.has(row, state.stepOf(row))}`)
        .sort(),
      wakings: [...state.wakings].map(({ eventId, looked, after, rows }) => [eventId, looked, after, rows?.length]),
      limits: [...state.rateLimits.values()]
        .map(
          (limit) =>
            `${limit.key} ${limit.used} ${limit.windowStartUs} ${limit.waitingCount} ${limit.tooLargeCount} ${limit.firstLine?.row}`,
        )
        .sort(),
      unsettled: [...state.unsettled.turns]
        .map(
          ({
            tenantId: tenant,
            arrivals,
            freed,
            crowded,
            changedLimits,
            calls,
            queues,
            workersWithRoom,
            lostWorkers,
            standstills,
          }) =>
            `${tenant} ${arrivals.length} ${[freed, crowded, changedLimits, calls, queues, workersWithRoom, lostWorkers, standstills].map(({ size }) => size).join()}`,
        )
        .sort(),
      extras: [...state.extras.entries()]
        .map(
          ([row, extras]) => `${row} ${extras.stickyWorkerId} ${extras.taskRequest?.held} ${extras.runRequest?.held}`,
        )
        .sort(),
    };
  }

  /** The name of the first invariant that does not hold between transactions, or undefined. */
  broken(): string | undefined {
    return brokenInvariant(this);
  }

  /** Without whose turn it is: a batch that is taken back may pass a turn on. */
  #order(action: string): string[] {
    const { tasks } = this.state;
    const queue = this.state.queueFor(tenantId, action);
    const ids: string[] = [];
    for (const row of tasks.rows())
      if (tasks.rank[row] !== 255 && this.state.stepOf(row).queue === queue)
        ids.push(`${tasks.rank[row]}/${tasks.prev[row]}/${tasks.next[row]}/${tasks.id(row)}`);
    return [...ids.sort(), `length ${queue.length}`];
  }

  /** In the order of the batch's statements. */
  #store(changes: ChangeSet): void {
    this.write?.(changes);
    for (const id of changes.liveDeletes) if (!this.stored.live.delete(id)) throw new Error(`live lacks ${id}`);
    for (const row of changes.liveInserts) {
      if (this.stored.live.has(row.taskId)) throw new Error(`live has ${row.taskId} already`);
      this.stored.live.set(row.taskId, JSON.stringify(row));
    }
    for (const row of changes.liveUpdates) {
      if (!this.stored.live.has(row.taskId)) throw new Error(`live lacks ${row.taskId}`);
      this.stored.live.set(row.taskId, JSON.stringify(row));
    }
    for (const row of changes.results) {
      const key = `${row.taskId}/${row.generation}`;
      if (this.stored.results.has(key)) throw new Error(`a second result of ${key}`);
      this.stored.results.set(key, row);
    }
    for (const row of changes.runs)
      this.stored.runs.set(row.id, {
        ...row,
        demands: this.#demands.get(row.id) ?? null,
        tasks: changes.tasks.filter((task) => task.runId === row.id),
      });
    for (const row of changes.runEnds) {
      const key = `${row.runId}/${row.generation}`;
      if (row.status === 0) {
        if (this.stored.reopened.has(key)) throw new Error(`a second opening of run ${key}`);
        this.stored.reopened.add(key);
        continue;
      }
      if (this.stored.runEnds.has(key)) throw new Error(`a second end of run ${key}`);
      this.stored.runEnds.set(key, row);
    }
    for (const id of changes.waitDeletes) this.stored.waits.delete(id);
    for (const row of changes.waits) this.stored.waits.set(row.taskId, row.resolved);
    this.stored.history.push(...changes.history);
    this.effects.push(...changes.effects);
  }
}
