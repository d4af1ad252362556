import {
  plainStep,
  plainWorkflow,
  type StepDefinition,
  type WorkflowDefinition,
} from '../../engine/model/definition.ts';
import { HatchetError } from '../../engine/base/errors.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import { LiveFlag, LiveState } from '../../engine/model/task/live-state.ts';
import { isRunTransition, statusAfter } from '../../engine/model/task/transition.ts';
import type { HistoryRow, ResultRow, RunEndRow, RunInsert, TaskInsert } from '../../engine/model/stored-rows.ts';
import { SettleBudget } from '../../engine/plan/state/settle-budget.ts';
import { settle } from '../../engine/plan/settle/settle-tenants.ts';
import { ChangeSet } from '../../engine/plan/state/change-set.ts';
import { skippedOutput } from '../../engine/model/payload/payload.ts';
import type { Command, CommandByKind, CommandKind, ReplyByKind } from '../../engine/plan/commands/command.ts';
import { noFacts, type Facts, type StoredEnd } from '../../engine/plan/commands/facts.ts';
import type { StoredRun } from '../../engine/plan/lifecycle/stored-run.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';
import type { Effect } from '../../engine/model/task/effect.ts';
import { collectLive, settleRows } from '../../engine/plan/state/live-rows.ts';
import type { Plan } from '../../engine/plan/state/plan.ts';
import { planCommand } from '../../engine/plan/commands/command.ts';
import { ShardState } from '../../engine/plan/state/shard-state.ts';

export const tenantId = '00000000-0000-7000-8000-00000000000a';

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

/** The rows that a database would hold, kept by applying each committed batch. */
export interface Stored {
  live: Map<string, string>;
  results: Map<string, ResultRow>;
  runEnds: Map<string, RunEndRow>;
  history: HistoryRow[];
  waits: Map<string, string>;
  runs: Map<string, RunInsert & { demands: readonly StepDemands[] | null; tasks: TaskInsert[] }>;
  /** Generations that a replay opened, by run and generation. */
  reopened: Set<string>;
}

/** A planner with a clock of the test's and, instead of Postgres, the rows that it asked to write. */
export class PlannerWorld {
  nowUs = 1_800_000_000_000_000;
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
  /** What a transaction may settle. */
  budget = (): SettleBudget => new SettleBudget();
  /** Brings into memory what the loader does before a plan. */
  load: ((commands: readonly Command[]) => void) | undefined;
  /** Given what every committed batch writes. */
  write: ((changes: ChangeSet) => void) | undefined;
  /** Told of every batch that was committed, with the time that it saw. */
  watch: ((commands: readonly Command[], nowUs: number) => void) | undefined;

  /** Plans one command as a batch of its own and commits it. */
  run<K extends CommandKind>(command: CommandByKind[K] & { kind: K }): ReplyByKind[K] {
    this.load?.([command]);
    const plan = this.#plan();
    const reply = planCommand<K>(plan, command, this.factsFor(command));
    this.#finish(plan);
    this.#store(plan.changes);
    settleRows(this.state);
    this.watch?.([command], plan.nowUs);
    if (this.goesOn) this.goOn();
    return reply;
  }

  /** Plans commands as one batch and commits it. */
  runTogether(commands: readonly Command[]): void {
    this.load?.(commands);
    const plan = this.#plan();
    for (const [command, facts] of commands.map((each) => [each, this.factsFor(each)] as const))
      this.#try(plan, command, facts);
    this.#finish(plan);
    this.#store(plan.changes);
    settleRows(this.state);
    this.watch?.(commands, plan.nowUs);
    if (this.goesOn) this.goOn();
  }

  /** Further transactions, for what the last one had no room for. @returns how many */
  goOn(most = Infinity): number {
    let done = 0;
    for (; done < most && this.state.hasMore; done++) {
      if (done === 10_000) throw new Error('settling never ends');
      const plan = this.#plan();
      this.#finish(plan);
      this.#store(plan.changes);
      settleRows(this.state);
      this.watch?.([], plan.nowUs);
    }
    return done;
  }

  /** Plans commands as one batch, then takes the batch back as if the database had refused it. */
  rollback(commands: readonly Command[]): void {
    this.load?.(commands);
    const plan = this.#plan();
    for (const [command, facts] of commands.map((each) => [each, this.factsFor(each)] as const))
      this.#try(plan, command, facts);
    this.#finish(plan);
    this.state.undo.rollback();
  }

  /** A refusal takes back what its command had done, and nothing else. */
  #try(plan: Plan, command: Command, facts: Facts): void {
    const mark = this.state.undo.mark();
    const changes = plan.changes.mark();
    try {
      planCommand(plan, command, facts);
    } catch (error) {
      if (!(error instanceof HatchetError)) throw error;
      this.state.undo.rollback(mark);
      plan.changes.truncate(changes);
    }
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

  /** The invariants that hold between batches; the name of the first that does not, or undefined. */
  broken(): string | undefined {
    const { state } = this;
    const { tasks } = state;
    if (tasks.size !== this.stored.live.size) return `memory has ${tasks.size} tasks, live ${this.stored.live.size}`;
    const used = new Map<string, number>();
    for (const row of tasks.rows()) {
      const id = tasks.id(row);
      const live = tasks.state[row];
      const flags = tasks.flags[row] ?? 0;
      if (!this.stored.live.has(id)) return `${id} is in memory alone`;
      const hasResult = this.stored.results.has(`${id}/${tasks.generation[row]}`);
      if (hasResult !== ((flags & LiveFlag.Ended) !== 0))
        return `${id} has ${hasResult ? 'a' : 'no'} result but its flags are ${flags}`;
      if (
        (tasks.rank[row] !== 255) !==
        (live === LiveState.Ready || live === LiveState.RateLimited || live === LiveState.Batching)
      )
        return `${id} in state ${live} has rank ${tasks.rank[row]}`;
      const timed =
        live === LiveState.Ready ||
        live === LiveState.RateLimited ||
        live === LiveState.Batching ||
        live === LiveState.Delayed ||
        live === LiveState.Running;
      const mayBeTimed = live === LiveState.Gated || live === LiveState.Evicted || (flags & LiveFlag.Restored) !== 0;
      if (!mayBeTimed && ((tasks.dueUs[row] ?? 0) !== 0) !== timed)
        return `${id} in state ${live} is due at ${tasks.dueUs[row]}`;
      const worker = state.workerOf(row);
      if ((worker !== undefined) !== (live === LiveState.Running || live === LiveState.Cancelling))
        return `${id} in state ${live} has worker ${worker?.id}`;
      if (worker !== undefined && !worker.tasks.has(row)) return `${id} is not among its worker's tasks`;
      const batch = state.batches.ofRow.get(row);
      if ((batch !== undefined) !== (worker !== undefined && state.stepOf(row).definition.batch !== null))
        return `${id} in state ${live} is in batch ${batch?.id}`;
      const takesSlots = batch === undefined || [...batch.rows][0] === row;
      if (worker !== undefined && takesSlots && (flags & LiveFlag.SlotReleased) === 0)
        used.set(worker.id, (used.get(worker.id) ?? 0) + (state.stepOf(row).definition.slots['default'] ?? 0));
      if (live === LiveState.Gated && (state.runOf(row)?.unfinished ?? 0) === 0) return `${id} waits in an ended run`;
    }
    for (const worker of state.workersById.values()) {
      const slots = worker.used.get('default') ?? 0;
      if (slots !== (used.get(worker.id) ?? 0))
        return `worker ${worker.id} counts ${slots} slots, holds ${used.get(worker.id) ?? 0}`;
      if (slots > (worker.slots.get('default') ?? 0)) return `worker ${worker.id} is over its capacity`;
    }
    if (this.stored.waits.size !== state.waits.size)
      return `memory has ${state.waits.size} waits, the table ${this.stored.waits.size}`;
    return this.#groupsBroken() ?? this.#batchesBroken() ?? this.#journalBroken();
  }

  /** Places: as many as are counted, held by unfinished tasks alone, and nobody waits for one that is free. */
  #groupsBroken(): string | undefined {
    const { state } = this;
    const requests = new Set(
      [...state.extras.entries()]
        .flatMap(([, { runRequest, taskRequest }]) => [runRequest, taskRequest])
        .filter((request) => request !== null),
    );
    for (const [row] of state.extras.entries())
      if (state.tasks.alive[row] !== 1) return `row ${row} is gone but has extras`;
    for (const group of state.groups.values()) {
      const naming = [...requests].filter((request) => request.groups.includes(group));
      if (group.requests !== naming.length)
        return `group ${group.id} counts ${group.requests} requests, ${naming.length} name it`;
      const held = naming.filter((request) => request.held).length;
      if (group.held !== held) return `group ${group.id} counts ${group.held} places, ${held} are held`;
      if (group.held > Math.max(group.maxRuns, this.loosestMaxRuns))
        return `group ${group.id} holds ${group.held} of ${group.maxRuns}`;
      if (naming.some((request) => request.arrived !== group.members.has(request)))
        return `the members of group ${group.id} are not those that arrived`;
      if (!group.isFull && group.waiting.length > 0)
        return `${group.waiting.length} wait in group ${group.id}, which has room`;
    }
    if (state.hasMore) return 'a batch left something unsettled behind';
    for (const request of requests)
      for (const group of request.groups)
        if (state.groups.get(group.id) !== group) return `a request names a group that is forgotten: ${group.id}`;
    return undefined;
  }

  /** Batches: no more of a key than may run, each on one worker, and every buffer as full as it counts. */
  #batchesBroken(): string | undefined {
    const { state } = this;
    const { tasks, batches } = state;
    const gathering = [...tasks.rows()].filter((row) => tasks.state[row] === LiveState.Batching);
    let counted = 0;
    for (const group of batches.groups.values()) {
      for (const batch of group.running) {
        const rows = [...batch.rows];
        if (rows.length === 0 || new Set(rows.map((row) => tasks.worker[row])).size !== 1)
          return `batch ${batch.id} has ${rows.length} members, or several workers`;
        if (rows.some((row) => batches.ofRow.get(row) !== batch)) return `a member of batch ${batch.id} is in another`;
      }
      for (const { rule, list, bytes, flushAtUs } of group.buffers.values()) {
        if (group.running.size > (rule.groupMaxRuns ?? Infinity))
          return `key ${group.id} runs ${group.running.size} batches`;
        const own = gathering.filter((row) => tasks.list[row] === list.id);
        const sum = own.reduce((total, row) => total + (state.extras.get(row)?.batchBytes ?? 0), 0);
        if (flushAtUs !== Infinity && flushAtUs > this.nowUs && batches.nextUs > flushAtUs)
          return `a buffer of ${group.id} goes at ${flushAtUs}, and nothing wakes the planner before ${batches.nextUs}`;
        if (own.length !== list.length || sum !== bytes)
          return `a buffer of ${group.id} counts ${list.length} tasks of ${bytes} bytes, not ${own.length} of ${sum}`;
        counted += own.length;
      }
    }
    if (counted !== gathering.length) return `${gathering.length} tasks gather, ${counted} in buffers`;
    const queued = [...state.queues.values()].reduce((sum, queue) => sum + queue.gathering, 0);
    return queued === counted ? undefined : `queues count ${queued} tasks that gather, not ${counted}`;
  }

  /** The journal of every task, replayed, gives its state. */
  #journalBroken(): string | undefined {
    const status = new Map<string, number | undefined>();
    for (const row of this.stored.history) {
      for (const transition of row.transitions)
        if (!isRunTransition(transition)) status.set(row.taskId, statusAfter(transition) ?? status.get(row.taskId));
    }
    for (const result of this.stored.results.values())
      if (!this.#isOutdated(result) && status.get(result.taskId) !== result.status)
        return `the journal of ${result.taskId} ends in ${status.get(result.taskId)}, its result is ${result.status}`;
    return undefined;
  }

  /** A replay has opened a later generation of the task. */
  #isOutdated(result: ResultRow): boolean {
    const row = this.state.tasks.find(result.taskId);
    return (
      (row !== undefined && (this.state.tasks.generation[row] ?? 1) > result.generation) ||
      [...this.stored.results.values()].some(
        (other) => other.taskId === result.taskId && other.generation > result.generation,
      )
    );
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

  #plan(): Plan {
    this.nowUs += 1000;
    return { state: this.state, nowUs: this.nowUs, changes: new ChangeSet() };
  }

  #finish(plan: Plan): void {
    settle([plan], this.budget());
    collectLive(plan);
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
