import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurableWorld } from '../../helpers/durable-world.ts';
import { stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { nameOf, nodeResult, readLog } from '../../model/durable-oracle.ts';
import type { Program } from '../../model/durable-program.ts';
import { durablePrograms } from '../../model/durable-programs.ts';
import { DurableInvocation } from '../../model/durable-worker.ts';
import { visibleNodes } from '../../../engine/shard/durable-logs.ts';

type Step = 'send' | 'receive' | 'finish' | 'status' | 'evict' | 'lose worker' | 'break stream' | 'restart' | 'second' | 'event a' | 'event b' | 'child ends' | 'restore' | 'stale';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Step>('send', 'receive') },
  { weight: 4, arbitrary: fc.constantFrom<Step>('second', 'event a', 'event b', 'child ends', 'finish', 'status') },
  { weight: 2, arbitrary: fc.constantFrom<Step>('evict', 'break stream') },
  { weight: 1, arbitrary: fc.constantFrom<Step>('lose worker', 'restart', 'restore', 'stale') },
);

const programs = durablePrograms(fc.integer({ min: 1, max: 5 }).map((seconds) => seconds * 1000));

const histories = Number(process.env['DURABLE_HISTORIES'] ?? 3000);

/** One durable task, its worker, its children's worker, and what happens to them. */
class Life {
  readonly world = new DurableWorld();
  readonly program: Program;
  readonly taskId: string;
  workerId: string;
  readonly kidWorker: string;
  current: DurableInvocation | undefined;
  /** An invocation that was superseded and does not know it. */
  old: DurableInvocation | undefined;
  memos = 0;
  streams = 0;
  #seen = 0;

  constructor(program: Program) {
    this.program = program;
    this.world.putDurable('long', { executionTimeoutMs: 3_600_000 });
    this.world.put(workflowOf('kid', [stepOf('one', { action: 'kid:one', retries: 1, scheduleTimeoutMs: 3_600_000 })]));
    this.workerId = this.register();
    this.kidWorker = this.world.register({ actions: ['kid:one'], slots: 100 });
    this.taskId = this.world.trigger('long');
  }

  register(): string {
    const workerId = this.world.id();
    this.world.run({ kind: 'registerWorker', tenantId, workerId, name: 'd', actions: ['wf:long'], slots: { durable: 1 }, labels: {}, runtime: {} });
    this.world.run({ kind: 'workerPresence', workerId, assignable: true });
    return workerId;
  }

  /** What the engine has let out since. */
  async hear(): Promise<void> {
    const { effects } = this.world;
    for (; this.#seen < effects.length; this.#seen++) {
      const effect = effects[this.#seen];
      if (effect?.kind === 'dispatch' && effect.taskId === this.taskId) {
        if (this.current !== undefined && !this.current.dead) this.old = this.current;
        this.current = new DurableInvocation(this.world, { taskId: this.taskId, invocation: effect.invocation ?? 0, attempt: effect.attempt, workerId: effect.workerId, memo: () => JSON.stringify(`memo ${this.memos++}`) });
        await this.current.begin(this.program);
      } else if (effect?.kind === 'durableAnswer') {
        if (this.current?.expects(effect.request) === true) this.current.inbox.push(effect);
        else if (effect.reply.kind === 'stale' && this.old !== undefined) this.old.dead = true;
      } else if (effect?.kind === 'durableResult') {
        expect(effect.invocation).toBe(this.current?.invocation);
        this.current?.inbox.push(effect);
      } else if (effect?.kind === 'durableDismissed' && this.current?.invocation === effect.invocation) this.current.dead = true;
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
        world.run({ kind: 'workerLost', workerId: this.workerId });
        this.workerId = this.register();
        break;
      case 'break stream':
        if (current === undefined) break;
        world.run({ kind: 'durableAttach', workerId: current.workerId, stream: ++this.streams });
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
        world.run({ kind: 'pushEvent', tenantId, existing: new Set(), events: [{ id: world.id(), key: what.slice(-1), scope: null, payload: '{"x":1}', metadata: '{}', runs: [] }] });
        break;
      case 'child ends':
        for (const row of [...(world.state.workersById.get(this.kidWorker)?.tasks ?? [])].slice(0, 1)) {
          const taskId = world.state.tasks.id(row);
          const ref = { tenantId, taskId, attempt: world.state.tasks.attempt[row] ?? 0 };
          const { name, fails }: { name: string; fails: boolean } = JSON.parse(world.stored.runs.get(taskId)?.input ?? '');
          if (fails) world.run({ kind: 'failed', ...ref, error: '{"message":"no"}', mayRetry: false });
          else world.run({ kind: 'completed', ...ref, output: JSON.stringify({ kid: name }) });
        }
        break;
      case 'restore':
        if (world.state.tasks.find(this.taskId) >= 0) world.run({ kind: 'durableRestore', tenantId, taskId: this.taskId });
        break;
      case 'stale':
        await this.old?.send();
        this.old?.status();
        break;
    }
    await this.hear();
    expect(current?.trouble ?? '').toBe('');
    expect(this.current?.trouble ?? '').toBe('');
    expect(world.broken()).toBeUndefined();
  }

  get isOver(): boolean {
    return this.world.state.tasks.find(this.taskId) < 0;
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
  }
}

describe('random durable programs', () => {
  it(`end with the output that their log gives, over ${histories} histories of deaths, evictions and lost messages`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.array(step, { maxLength: 80, size: 'max' }), async (program, steps) => {
        const life = new Life(program);
        await life.hear();
        for (const each of steps) if (!life.isOver) await life.take(each);
        await life.drain();
        expect(life.isOver).toBe(true);
        const { world, taskId } = life;
        const result = world.stored.results.get(`${taskId}/1`);
        const log = visibleNodes(world.storedLog(taskId), 1);
        const read = await readLog(program, log, { answers: 'in the order of the log', resultOf: (node) => nodeResult(nameOf(node), node.result?.status, world.givenBy(`${taskId} ${node.branch} ${node.node}`)) });
        expect(read).toEqual({ output: JSON.parse(result?.output ?? 'null') });
        // One child a node, one value a memo, and nothing left that listens.
        const children = log.filter((node) => node.childRunId !== null).map((node) => node.childRunId);
        expect(new Set(children).size).toBe(children.length);
        expect(new Set([...world.stored.runs.values()].filter((run) => run.parentTaskId === taskId).map((run) => run.id))).toEqual(new Set(children));
        expect(world.listens.size).toBe(0);
        expect(world.state.durable.log(world.state.tasks.find(taskId))).toBeUndefined();
      }),
      { numRuns: histories },
    );
  }, 600_000);
});
