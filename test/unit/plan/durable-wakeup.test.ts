import { waitFingerprint } from '../../../engine/model/durable/fingerprint.ts';
import { describe, expect, it } from 'vitest';
import { type DurableCondition } from '../../../engine/model/durable/durable.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { CommandByKind, CommandKind } from '../../../engine/plan/commands/command.ts';
import type { DurableAsk } from '../../../engine/model/durable/durable-operation.ts';
import { DurableWorld } from '../../helpers/durable-world.ts';
import { stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt, workerOf } from '../../helpers/row-of.ts';

type Message = 'satisfy' | 'evict' | 'evict again' | 'restore' | 'status' | 'worker lost';
type Kind = 'sleep' | 'event' | 'child';

function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    orders([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]),
  );
}

/** Every way to cut a list into batches. */
function cuts<T>(items: readonly T[]): T[][][] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  if (rest.length === 0) return [[[first]]];
  return cuts(rest).flatMap(([head = [], ...tail]) => [
    [[first], head, ...tail],
    [[first, ...head], ...tail],
  ]);
}

class Wait {
  readonly world = new DurableWorld();
  readonly taskId: string;
  readonly workerId: string;
  readonly kind: Kind;
  readonly strict: boolean;
  #request = 0;

  /** @param strict a worker of Hatchet's SDKs, which is told of a child once it has said that it waits for it */
  constructor(kind: Kind, strict: boolean) {
    this.kind = kind;
    this.strict = strict;
    this.world.putDurable('long');
    this.world.put(workflowOf('kid', [stepOf('one', { action: 'kid:one' })]));
    this.workerId = this.register();
    this.world.register({ actions: ['kid:one'] });
    this.taskId = this.world.trigger('long');
    this.ask();
    this.world.run(this.command('status'));
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
    this.world.run({ kind: 'durableAttach', tenantId, workerId, stream: 1, strict: this.strict });
    return workerId;
  }

  /** The running invocation asks for the wait: for the first time, or again. */
  ask(): void {
    const { state } = this.world;
    const worker = workerOf(state, this.taskId);
    this.world.run({
      kind: 'durableAsk',
      tenantId,
      workerId: worker?.id ?? null,
      taskId: this.taskId,
      invocation: this.#invocation(),
      stream: worker?.durableStream ?? 0,
      request: ++this.#request,
      ask: this.#operation(),
    });
  }

  #invocation(): number {
    const { tasks } = this.world.state;
    return valueAt(tasks.invocation, tasks.find(this.taskId)) ?? 0;
  }

  /** The running invocation says that it waits. */
  say(): void {
    const { state } = this.world;
    this.world.run({
      kind: 'durableStatus',
      tenantId,
      workerId: workerOf(state, this.taskId)?.id ?? '',
      tasks: [{ taskId: this.taskId, invocation: this.#invocation(), nodes: [{ branch: 1, node: 1 }] }],
    });
  }

  #operation(): DurableAsk {
    if (this.kind === 'child')
      return {
        kind: 'children',
        children: [
          { run: this.world.childOf(this.taskId, 0).run, workflow: 'kid', name: 'index 0', fingerprint: 'kid' },
        ],
      };
    const condition: DurableCondition =
      this.kind === 'sleep'
        ? { kind: 'sleep', ms: 1000, duration: '1s', group: 0, dataKey: 's' }
        : { kind: 'event', eventKey: 'go', scope: null, expression: '', sinceMs: null, group: 0, dataKey: 'e' };
    return {
      kind: 'wait',
      fingerprint: waitFingerprint([condition]),
      asked: { kind: 'wait', conditions: [condition], label: null },
    };
  }

  /** All messages speak for the first invocation. */
  command(message: Message): CommandByKind[CommandKind] {
    const sender = { tenantId, workerId: this.workerId, taskId: this.taskId, invocation: 1 };
    switch (message) {
      case 'evict':
      case 'evict again':
        return { kind: 'durableEvict', ...sender, reason: 'ttl' };
      case 'restore':
        return { kind: 'durableRestore', tenantId, taskId: this.taskId };
      case 'status':
        return {
          kind: 'durableStatus',
          tenantId,
          workerId: this.workerId,
          tasks: [{ taskId: this.taskId, invocation: 1, nodes: [{ branch: 1, node: 1 }] }],
        };
      case 'worker lost':
        return { kind: 'workerLost', tenantId, workerId: this.workerId };
      case 'satisfy':
        return this.#satisfy();
    }
  }

  #satisfy(): CommandByKind[CommandKind] {
    const { world } = this;
    if (this.kind === 'sleep') {
      world.nowUs += 1_000_000;
      return { kind: 'tick' };
    }
    if (this.kind === 'event')
      return {
        kind: 'pushEvent',
        tenantId,
        events: [{ id: world.id(), key: 'go', scope: null, payload: '{}', metadata: '{}', runs: [] }],
      };
    return { kind: 'completed', tenantId, taskId: world.childOf(this.taskId, 0).run.runId, attempt: 0, output: '{}' };
  }

  get state(): number | undefined {
    return valueAt(this.world.state.tasks.state, this.world.state.tasks.find(this.taskId));
  }

  /** Whether the invocation that runs has been told. */
  get isTold(): boolean {
    const invocation = valueAt(this.world.state.tasks.invocation, this.world.state.tasks.find(this.taskId));
    return this.world.effects.some((effect) => effect.kind === 'durableResult' && effect.invocation === invocation);
  }
}

describe('a wait that is satisfied while its task comes and goes', () => {
  const messages: Message[] = ['satisfy', 'evict', 'evict again', 'restore', 'status', 'worker lost'];

  it.each<[Kind, string, boolean]>([
    ['sleep', 'ours', false],
    ['event', 'ours', false],
    ['child', 'ours', false],
    ['child', "Hatchet's", true],
  ])(
    'loses no wake-up of a %s, on a worker of %s: every order of messages, however they fall into batches',
    (kind, _, strict) => {
      let histories = 0;
      for (const order of orders(messages)) {
        // Restarts included for the orders as they are; batched in every way without them.
        for (const batches of cuts(order)) {
          const wait = new Wait(kind, strict);
          for (const batch of batches) {
            const commands = batch.map((message) => wait.command(message));
            wait.world.rollback(commands); // Postgres refuses it the first time
            wait.world.runTogether(commands);
          }
          if (kind === 'sleep') wait.world.run({ kind: 'tick' }); // the timer is armed anew after every batch
          if (wait.state === LiveState.Ready) wait.register();
          const where = batches.map((batch) => batch.join(' + ')).join(', ');
          expect(`${wait.state}: ${where}`).toBe(`${LiveState.Running}: ${where}`);
          if (!wait.isTold) wait.ask();
          if (strict) wait.say();
          if (kind === 'sleep') wait.world.run({ kind: 'tick' });
          expect(`${wait.isTold}: ${where}`).toBe(`true: ${where}`);
          expect(wait.world.broken()).toBeUndefined();
          histories++;
        }
      }
      expect(histories).toBe(720 * 32);
    },
    120_000,
  );
});
