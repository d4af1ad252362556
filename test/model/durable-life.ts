import { expect } from 'vitest';
import { EntryKind, wholeNode } from '../../engine/model/durable/durable.ts';
import { RunStatus } from '../../engine/model/task/status.ts';
import type { CommandByKind, CommandKind } from '../../engine/plan/commands/command.ts';
import { conditionsOf, type DurableNode } from '../../engine/plan/durable/durable-log.ts';
import { visibleNodes } from '../../engine/shard/facts/stored-durable-logs.ts';
import { DurableWorld } from '../helpers/durable-world.ts';
import { keepPace, type Pace } from '../helpers/pace.ts';
import { stepOf, tenantId, workflowOf } from '../helpers/planner-world.ts';
import { nameOf, nodeResult, readLog, unfinished } from './durable-oracle.ts';
import type { Program } from './durable-program.ts';
import { DurableInvocation, type Manner } from './durable-worker.ts';

export type Step =
  | 'send'
  | 'receive'
  | 'finish'
  | 'status'
  | 'evict'
  | 'lose worker'
  | 'break stream'
  | 'restart'
  | 'second'
  | 'event a'
  | 'event b'
  | 'child ends'
  | 'restore'
  | 'stale';

/** Numbers that are taken modulo what there is. */
export interface BranchStep {
  branch: number;
  node: number;
  /** What is in the batch too, and on which side. */
  beside: 'nothing' | 'event a' | 'second' | 'evict' | 'status';
  before: boolean;
  /** The database refuses the batch once, and it is planned again. */
  refused: boolean;
}

/** An end of the task, on the branch that it was on. */
interface End {
  branch: number;
  output: unknown;
}

/** One durable task, its worker, its children's worker, and what happens to them. */
export class DurableLife {
  readonly world = new DurableWorld();
  readonly program: Program;
  readonly manner: Manner;
  readonly taskId: string;
  workerId: string;
  readonly kidWorker: string;
  current: DurableInvocation | undefined;
  /** An invocation that was superseded and does not know it. */
  old: DurableInvocation | undefined;
  readonly ends: End[] = [];
  memos = 0;
  streams = 0;
  #seen = 0;
  #wasOver = false;
  #entries = 0;
  #results = 0;

  constructor(program: Program, of: { manner: Manner; pace: Pace }) {
    this.program = program;
    this.manner = of.manner;
    keepPace(this.world, of.pace);
    this.world.putDurable('long', { executionTimeoutMs: 3_600_000 });
    this.world.put(workflowOf('kid', [stepOf('one', { action: 'kid:one', retries: 1, scheduleTimeoutMs: 3_600_000 })]));
    this.workerId = this.register();
    this.kidWorker = this.world.register({ actions: ['kid:one'], slots: 100 });
    this.taskId = this.world.trigger('long');
  }

  register(): string {
    const workerId = this.world.id();
    this.world.run({
      kind: 'registerWorker',
      tenantId,
      workerId,
      name: 'd',
      actions: ['wf:long'],
      slots: { durable: 1 },
      labels: {},
      runtime: {},
    });
    this.world.run({ kind: 'workerPresence', tenantId, workerId, assignable: true });
    this.#attach(workerId);
    return workerId;
  }

  /** What the engine has let out since. */
  async hear(): Promise<void> {
    const { effects } = this.world;
    for (; this.#seen < effects.length; this.#seen++) {
      const effect = effects[this.#seen];
      if (effect?.kind === 'dispatch' && effect.taskId === this.taskId) {
        if (this.current !== undefined && !this.current.dead) this.old = this.current;
        this.current = new DurableInvocation(this.world, {
          taskId: this.taskId,
          invocation: effect.invocation ?? 0,
          attempt: effect.attempt,
          workerId: effect.workerId,
          memo: () => JSON.stringify(`memo ${this.memos++}`),
          manner: this.manner,
        });
        await this.current.begin(this.program);
      } else if (effect?.kind === 'durableAnswer') {
        if (this.current?.expects(effect.request) === true) this.current.inbox.push(effect);
        else if (effect.reply.kind === 'stale' && this.old !== undefined) this.old.dead = true;
      } else if (effect?.kind === 'durableResult') {
        // In a batch that branches, an event before it may still have been for the start that it takes away.
        expect(effect.invocation === this.current?.invocation || this.current?.dead === true).toBe(true);
        if (effect.invocation === this.current?.invocation) this.current?.inbox.push(effect);
      } else if (effect?.kind === 'durableDismissed' && this.current?.invocation === effect.invocation)
        this.current.dead = true;
    }
  }

  async take(what: Step): Promise<void> {
    const { world, current } = this;
    switch (what) {
      case 'send':
        await current?.send();
        break;
      case 'receive':
        await current?.receive();
        break;
      case 'finish':
        current?.finish();
        break;
      case 'status':
        if (current !== undefined) current.reconnected = false;
        current?.status();
        break;
      case 'evict':
        if (current?.isWaiting === true) {
          current.status();
          await this.hear();
          if (!current.dead) current.evict();
        }
        break;
      case 'lose worker':
        world.run({ kind: 'workerLost', tenantId, workerId: this.workerId });
        this.workerId = this.register();
        break;
      case 'break stream':
        if (current === undefined) break;
        this.#attach(current.workerId);
        // What was told until now went to the stream that broke.
        this.#seen = world.effects.length;
        current.breakStream();
        break;
      case 'restart':
        world.forgetLogs();
        current?.breakStream();
        break;
      case 'second':
        world.nowUs += 1_000_000;
        world.run({ kind: 'tick' });
        break;
      case 'event a':
      case 'event b':
        world.run(this.#event(what));
        this.#expectHeard(what.slice(-1));
        break;
      case 'child ends':
        for (const row of [...(world.state.workersById.get(this.kidWorker)?.tasks ?? [])].slice(0, 1)) {
          const taskId = world.state.tasks.id(row);
          const ref = { tenantId, taskId, attempt: world.state.tasks.attempt[row] ?? 0 };
          const { name, fails }: { name: string; fails: boolean } = JSON.parse(
            world.stored.runs.get(taskId)?.input ?? '',
          );
          if (fails) world.run({ kind: 'failed', ...ref, error: '{"message":"no"}', mayRetry: false });
          else world.run({ kind: 'completed', ...ref, output: JSON.stringify({ kid: taskId, name }) });
        }
        break;
      case 'restore':
        if (world.state.tasks.find(this.taskId) !== undefined)
          world.run({ kind: 'durableRestore', tenantId, taskId: this.taskId });
        break;
      case 'stale':
        await this.old?.send();
        this.old?.status();
        break;
    }
    await this.#after(current, [this.branch]);
  }

  /** The task starts again from a node of any of its branches, whatever it does just now. */
  async startBranch({ branch, node, beside, before, refused }: BranchStep): Promise<void> {
    const { world, taskId, current } = this;
    const left = this.branch;
    const { points } = world.storedLog(taskId);
    const asked = branch % (points.length + 2); // 0 is the current one
    const parent = asked === 0 ? left : asked;
    const known = this.log(parent);
    if (known.length === 0) return; // nothing to leave
    const first = 1 + (node % known.length);
    if (beside === 'second') world.nowUs += 1_000_000;
    const branching: CommandByKind['durableBranch'] = {
      kind: 'durableBranch',
      tenantId,
      taskId,
      branch: asked,
      node: first,
    };
    const others = this.#besides(beside);
    const batch = before ? [...others, branching] : [branching, ...others];
    if (refused) {
      const memory = world.memory();
      world.rollback(batch);
      expect(world.memory()).toEqual(memory);
    }
    world.runTogether(batch);
    if (beside === 'event a' && !before) this.#expectHeard('a');

    expect(world.storedLog(taskId).points).toEqual([
      ...points,
      { branch: points.length + 2, parent, first, hasInput: false },
    ]);
    expect(world.state.tasks.find(taskId)).toBeDefined();
    // What the parent holds before the node is what the new branch holds, and nothing else.
    const place = (each: DurableNode): string => `${each.branch} ${each.node}`;
    expect(this.log(this.branch).map(place)).toEqual(known.slice(0, first - 1).map(place));
    await this.#after(current, [left, this.branch]);
  }

  /** The branch that the task is on. */
  get branch(): number {
    return this.world.storedLog(this.taskId).points.at(-1)?.branch ?? 1;
  }

  log(branch: number): DurableNode[] {
    return visibleNodes(this.world.storedLog(this.taskId), branch);
  }

  read(branch: number): Promise<{ output: unknown } | { wrong: string }> {
    const { world, taskId } = this;
    return readLog(this.program, this.log(branch), {
      answers: 'in the order of the log',
      resultOf: (node) =>
        nodeResult(nameOf(node), node.result?.status, world.givenBy(`${taskId} ${node.branch} ${node.node}`)),
    });
  }

  get isOver(): boolean {
    return this.world.state.tasks.find(this.taskId) === undefined;
  }

  /** From here on nothing goes wrong any more: the task must end. */
  async drain(): Promise<void> {
    for (let round = 0; round < 400 && !this.isOver; round++) {
      for (let n = 0; n < 50 && (this.current?.canSend === true || (this.current?.inbox.length ?? 0) > 0); n++) {
        await this.take('send');
        await this.take('receive');
      }
      await this.take('finish');
      await this.take('status');
      for (const each of ['second', 'event a', 'event b', 'child ends'] as const) await this.take(each);
    }
    expect(this.isOver).toBe(true);
  }

  /** What must be true in the end, of the branches that were left too. */
  async check(): Promise<void> {
    const { world, taskId, ends } = this;
    for (const { branch, output } of ends) await this.#expectRead(branch, output);
    const { points } = world.storedLog(taskId);
    for (const branch of [1, ...points.map((point) => point.branch)]) {
      if (this.manner !== 'ours' || ends.some((end) => end.branch === branch)) continue;
      // One that was left in the middle: a beginning that the code fits.
      const read = await this.read(branch);
      if ('wrong' in read) expect(read.wrong).toBe(unfinished);
    }
    // One child a node, one value a memo, and nothing left that listens.
    const children = world.storedLog(taskId).entries.flatMap((node) => node.childRunId ?? []);
    expect(new Set(children).size).toBe(children.length);
    expect(
      new Set([...world.stored.runs.values()].filter((run) => run.parentTaskId === taskId).map((run) => run.id)),
    ).toEqual(new Set(children));
    expect(world.listens.size).toBe(0);
    // One that has ended may have left its row.
    const row = world.state.tasks.find(taskId);
    if (row !== undefined) expect(world.state.durable.task(row)).toBeUndefined();
  }

  /** @param current the invocation that was there before the step @param on the branches that the task was on meanwhile */
  async #after(current: DurableInvocation | undefined, on: readonly number[]): Promise<void> {
    const { world, taskId } = this;
    await this.hear();
    expect(current?.trouble ?? '').toBe('');
    expect(this.current?.trouble ?? '').toBe('');
    expect(world.broken()).toBeUndefined();
    this.#checkRows(on);
    const ended = this.isOver && !this.#wasOver;
    this.#wasOver = this.isOver;
    if (!ended) return;
    const result = [...world.stored.results.values()].filter((row) => row.taskId === taskId).at(-1);
    expect(result?.status).toBe(RunStatus.Completed);
    const output: unknown = JSON.parse(result?.output ?? 'null');
    await this.#expectRead(this.branch, output);
    this.ends.push({ branch: this.branch, output });
  }

  /** Branches that were left stay as they are; a child alone may end on one. */
  #checkRows(on: readonly number[]): void {
    const { world, taskId } = this;
    const entries = [...world.entries.values()].slice(this.#entries);
    const results = [...world.results.values()].slice(this.#results);
    this.#entries += entries.length;
    this.#results += results.length;
    for (const entry of entries) if (entry.kind !== EntryKind.Branch) expect(on).toContain(entry.branch);
    const seen = new Set(
      results.length === 0 ? [] : on.flatMap((branch) => this.log(branch)).map((node) => `${node.branch} ${node.node}`),
    );
    for (const { branch, node } of results) {
      if (world.entries.get(`${taskId} ${branch} ${node}`)?.kind !== EntryKind.Child)
        expect([...seen]).toContain(`${branch} ${node}`);
    }
  }

  /** No wait that listened for the key is open any more. */
  #expectHeard(key: string): void {
    const { world, taskId } = this;
    for (const node of this.log(this.branch)) {
      if (!conditionsOf(node).some((condition) => condition.kind === 'event' && condition.eventKey === key)) continue;
      if (world.listens.has(`${taskId} ${node.branch} ${node.node} ${key}`))
        expect(world.results.has(`${taskId} ${node.branch} ${node.node} ${wholeNode}`)).toBe(true);
    }
  }

  /** Results that the others have late leave no trace of how late; of them it is known that every replay fits the log. */
  async #expectRead(branch: number, output: unknown): Promise<void> {
    if (this.manner === 'ours') expect(await this.read(branch)).toEqual({ output });
  }

  #attach(workerId: string): void {
    this.world.run({
      kind: 'durableAttach',
      tenantId,
      workerId,
      stream: ++this.streams,
      strict: this.manner !== 'ours',
    });
  }

  #event(what: 'event a' | 'event b'): CommandByKind['pushEvent'] & { kind: 'pushEvent' } {
    return {
      kind: 'pushEvent',
      tenantId,
      events: [{ id: this.world.id(), key: what.slice(-1), scope: null, payload: '{"x":1}', metadata: '{}', runs: [] }],
    };
  }

  #besides(beside: BranchStep['beside']): CommandByKind[CommandKind][] {
    const { current, taskId } = this;
    switch (beside) {
      case 'nothing':
        return [];
      case 'event a':
        return [this.#event('event a')];
      case 'second':
        return [{ kind: 'tick' }];
      case 'status':
        return current === undefined || current.dead ? [] : [current.statusCommand()];
      case 'evict':
        if (current?.isWaiting !== true) return [];
        current.dead = true;
        return [
          current.statusCommand(),
          {
            kind: 'durableEvict',
            tenantId,
            workerId: current.workerId,
            taskId,
            invocation: current.invocation,
            reason: 'ttl',
          },
        ];
    }
  }
}
