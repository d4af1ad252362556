import { EntryKind, parseAsked, wholeNode, type Asked, type BranchPoint } from '../../engine/model/durable/durable.ts';
import type { StepDefinition } from '../../engine/model/definition.ts';
import type { DurableEntryRow, DurableListenRow, DurableResultRow } from '../../engine/model/stored-rows.ts';
import type { ChangeSet } from '../../engine/plan/state/change-set.ts';
import { kindOf, type Command } from '../../engine/plan/commands/command.ts';
import { noFacts, type Facts } from '../../engine/plan/commands/loaded-facts.ts';
import { conditionsOf, type DurableNode } from '../../engine/plan/durable/durable-log.ts';
import type { TriggerRun } from '../../engine/model/task/trigger-run.ts';
import { loadedLog, visibleNodes, type ReadableLog } from '../../engine/shard/facts/stored-durable-logs.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from './planner-world.ts';

const placeOf = (row: { taskId: string; branch: number; node: number }): string =>
  `${row.taskId} ${row.branch} ${row.node}`;

/** A planner's world whose durable rows are kept as a database would, and read before a plan as the loader does. */
export class DurableWorld extends PlannerWorld {
  readonly entries = new Map<string, DurableEntryRow>();
  readonly results = new Map<string, DurableResultRow>();
  readonly listens = new Map<string, DurableListenRow>();

  constructor() {
    super();
    this.write = (changes) => this.#keep(changes);
    this.load = (commands) => this.#bringIn(commands);
  }

  putDurable(name: string, options: Partial<StepDefinition> = {}): void {
    this.put(
      workflowOf(name, [stepOf(name, { action: `wf:${name}`, durable: true, slots: { durable: 1 }, ...options })]),
    );
  }

  /** What a satisfied node gives: its payload, or the output of the child that it names. @param place task, branch and node */
  givenBy(place: string): string {
    const row = this.results.get(`${place} ${wholeNode}`);
    const childRunId = this.entries.get(place)?.childRunId ?? null;
    if (childRunId === null || row?.generation === null) return row?.payload ?? '';
    return this.stored.results.get(`${childRunId}/${row?.generation}`)?.output ?? '';
  }

  /** The child that a task spawns at its n-th spawn: the same one whenever it asks, but another on another branch. */
  childOf(taskId: string, index: number, input = '{}'): { run: TriggerRun } {
    const version = this.state.latestVersion(tenantId, 'kid');
    if (version === undefined) throw new Error('put the kid first');
    const parent = this.state.tasks.find(taskId);
    const branch = parent === undefined ? 1 : this.state.durable.branchOf(parent);
    const runId = `${taskId.slice(0, 24)}${taskId.slice(-6)}${branch.toString(16).padStart(3, 'c')}${index.toString(16).padStart(3, 'c')}`;
    return {
      run: {
        runId,
        taskIds: [runId],
        versionId: version.versionId,
        input,
        metadata: '{}',
        priority: 1,
        parentTaskId: taskId,
        childIndex: index,
        childKey: null,
        filterPayload: null,
        placement: null,
        idempotency: null,
        ownId: true,
        earlierIds: [],
        demands: null,
      },
    };
  }

  /** An engine's death, as far as durable memory goes: all logs are read anew, and nobody knows how far replays had come. */
  forgetLogs(): void {
    const { durable, tasks } = this.state;
    for (const row of tasks.rows()) durable.drop(row);
    durable.unread.clear();
  }

  storedLog(taskId: string): ReadableLog & { entries: DurableNode[] } {
    const own = [...this.entries.values()]
      .filter((row) => row.taskId === taskId)
      .sort((a, b) => a.branch - b.branch || a.node - b.node);
    const points = own.filter((row) => row.kind === EntryKind.Branch).map(pointOf);
    const entries = own.filter((row) => row.kind !== EntryKind.Branch).map((row) => this.#node(row));
    return {
      points,
      entries,
      at: (branch, node) => entries.find((each) => each.branch === branch && each.node === node),
    };
  }

  #node(row: DurableEntryRow): DurableNode {
    const { asked, askedUs } = parseAsked(row.asked, row.seq);
    const whole = this.results.get(`${placeOf(row)} ${wholeNode}`);
    const node: DurableNode = {
      branch: row.branch,
      node: row.node,
      kind: row.kind,
      fingerprint: row.fingerprint,
      asked,
      askedSeq: row.seq,
      askedUs,
      invocation: row.invocation,
      childRunId: row.childRunId,
      met: [],
      result: whole === undefined ? null : { seq: whole.seq, status: whole.status },
      need: 0,
    };
    for (const index of conditionsOf(node).keys()) {
      const met = this.results.get(`${placeOf(row)} ${index}`);
      if (met !== undefined) node.met[index] = met.payload;
    }
    return node;
  }

  override factsFor(command: Command): Facts {
    if (command.kind !== 'durableBranch') return super.factsFor(command);
    const stored = this.storedLog(command.taskId);
    const newest = stored.points.at(-1)?.branch ?? 1;
    return {
      ...noFacts,
      storedRuns: (this.state.tasks.find(command.taskId) === undefined ? this.storedRuns([command.taskId]) : []).map(
        (run) => ({
          ...run,
          tasks: run.tasks.map((task) => ({ ...task, branches: this.storedLog(task.id).points })),
        }),
      ),
      branches: {
        points: stored.points,
        nodes: visibleNodes(stored, command.branch === 0 ? newest : command.branch),
        made: null,
      },
    };
  }

  #bringIn(commands: readonly Command[]): void {
    const { state } = this;
    const wanted = new Set<string>();
    for (const command of commands) {
      const {
        logsOf = [],
        sleepers = [],
        events = [],
      } = kindOf(command).needs(command, {
        state,
        nowUs: this.nowUs + 1000,
        isUncertain: false,
      });
      for (const taskId of [...logsOf, ...sleepers]) wanted.add(taskId);
      for (const { key } of events)
        for (const row of this.listens.values()) if (row.eventKey === key) wanted.add(row.taskId);
    }
    for (const taskId of wanted) {
      const row = state.tasks.find(taskId);
      if (row === undefined || state.durable.task(row) !== undefined || !state.stepOf(row).definition.durable) continue;
      const loaded = loadedLog(taskId, this.storedLog(taskId), {
        invocation: state.tasks.invocation[row] ?? 0,
        begins: state.durable.unread.delete(row),
      });
      state.durable.hold({ row, tenantId, ...loaded });
      state.durable.loaded.add(row);
    }
  }

  #keep(changes: ChangeSet): void {
    for (const row of changes.durableEntries) {
      if (this.entries.has(placeOf(row))) throw new Error(`a second entry at ${placeOf(row)}`);
      this.entries.set(placeOf(row), row);
    }
    for (const row of changes.durableResults) {
      const key = `${placeOf(row)} ${row.condition}`;
      if (this.results.has(key)) throw new Error(`a second result of ${key}`);
      this.results.set(key, row);
    }
    for (const row of changes.durableListens) this.listens.set(`${placeOf(row)} ${row.eventKey}`, row);
    for (const ref of changes.durableListenDeletes)
      for (const [key, row] of this.listens) if (placeOf(row) === placeOf(ref)) this.listens.delete(key);
    for (const taskId of changes.durableEnds)
      for (const [key, row] of this.listens) if (row.taskId === taskId) this.listens.delete(key);
  }
}

function pointOf(row: DurableEntryRow): BranchPoint {
  const asked: Asked = JSON.parse(row.asked);
  if (asked.kind !== 'branch') throw new Error('no branch');
  return { branch: row.branch, parent: asked.parent, first: asked.first, hasInput: asked.hasInput === true };
}
