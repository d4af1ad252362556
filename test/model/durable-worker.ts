import { waitFingerprint } from '../../engine/model/durable/fingerprint.ts';
import { type DurableCondition } from '../../engine/model/durable/durable.ts';
import type { CommandByKind } from '../../engine/plan/commands/command.ts';
import type { DurableAsk } from '../../engine/model/durable/durable-operation.ts';
import type { DurableAnswerEffect, DurableResultEffect } from '../../engine/model/task/effect.ts';
import type { DurableWorld } from '../helpers/durable-world.ts';
import { tenantId } from '../helpers/planner-world.ts';
import { nodeResult, turn, type NodeResult } from './durable-oracle.ts';
import { runProgram, type Operations, type Program } from './durable-program.ts';

let requests = 0;

/**
 * How it says what it waits for. Ours: when it is asked to, all of it. TypeScript's and Python's, which take results strictly in
 * the order of delivery: also as soon as they are answered, all of it or what is new.
 */
export type Manner = 'ours' | 'typescript' | 'python';

interface Waiter {
  name: string;
  branch: number;
  settle: (result: NodeResult) => void;
}

/** One start of a durable task on a worker that follows the protocol: it asks in order, and resumes its code one result at a time. */
export class DurableInvocation {
  readonly taskId: string;
  readonly invocation: number;
  readonly workerId: string;
  readonly inbox: (DurableResultEffect | DurableAnswerEffect)[] = [];
  /** What its code has asked for and the engine has not been sent. */
  readonly #outgoing: (() => void)[] = [];
  /** Requests without an answer, in their order. */
  readonly #unanswered: { request: number; take: (reply: DurableAnswerEffect['reply']) => void }[] = [];
  readonly #waiting = new Map<number, Waiter>();
  readonly #world: DurableWorld;
  readonly #memo: () => string;
  readonly #attempt: number;
  readonly #manner: Manner;
  readonly #said = new Set<number>();
  #children = 0;
  dead = false;
  /** On a new stream, on which it has not said anything yet. */
  reconnected = false;
  trouble = '';
  #output: string | undefined;

  constructor(
    world: DurableWorld,
    facts: {
      taskId: string;
      invocation: number;
      attempt: number;
      workerId: string;
      memo: () => string;
      manner: Manner;
    },
  ) {
    this.#world = world;
    this.taskId = facts.taskId;
    this.invocation = facts.invocation;
    this.workerId = facts.workerId;
    this.#attempt = facts.attempt;
    this.#memo = facts.memo;
    this.#manner = facts.manner;
  }

  async begin(program: Program): Promise<void> {
    const operations: Operations = {
      sleep: (name, ms) => this.#wait(name, [sleep(name, ms)]),
      event: (name, key) => this.#wait(name, [event(name, key)]),
      either: (name, ms, key) => this.#wait(name, [sleep(name, ms), event(name, key)]),
      child: (name, fails) => this.#ask(name, this.#childAsk(name, fails)),
      spawn: (name, fails) => this.#spawn(name, fails),
      memo: (name) =>
        this.#ask(name, { kind: 'memo', key: Buffer.from(JSON.stringify([name])).toString('hex'), payload: null }),
    };
    void runProgram(program, operations).then((output) => {
      this.#output = JSON.stringify(output);
    });
    await turn();
  }

  get canSend(): boolean {
    return !this.dead && this.#outgoing.length > 0;
  }

  /** The next request goes to the engine; on a new stream, what it waits for goes first. */
  async send(): Promise<void> {
    if (this.dead) return;
    if (this.reconnected) this.status();
    this.reconnected = false;
    if (this.dead) return;
    this.#outgoing.shift()?.();
    await turn();
  }

  expects(request: number): boolean {
    return this.#unanswered.some((each) => each.request === request);
  }

  get isWaiting(): boolean {
    return !this.dead && this.#outgoing.length === 0 && this.#unanswered.length === 0 && this.#waiting.size > 0;
  }

  /** Its stream broke. What it was not answered may have been taken or not: it gives up, and has the task start again. */
  breakStream(): void {
    this.inbox.length = 0;
    this.reconnected = true;
    const isLost = this.#unanswered.length > 0 || (this.#manner !== 'ours' && this.#outgoing.length > 0);
    if (this.dead || !isLost) return;
    this.evict();
    this.#world.run({ kind: 'durableRestore', tenantId, taskId: this.taskId });
  }

  /** The next message reaches the code. */
  async receive(): Promise<void> {
    const next = this.inbox.shift();
    if (next === undefined || this.dead) return;
    if (next.kind === 'durableAnswer') {
      this.#unanswered.shift()?.take(next.reply);
      await turn();
      if (this.#manner !== 'ours') this.#sayNew();
      return;
    }
    const waiter = this.#waiting.get(next.node);
    if (waiter?.branch !== next.branch) return; // told twice
    this.#waiting.delete(next.node);
    waiter.settle(
      nodeResult(waiter.name, next.status, this.#world.givenBy(`${this.taskId} ${next.branch} ${next.node}`)),
    );
    await turn();
  }

  /** Reports its end, once the code has returned. */
  finish(): void {
    if (this.dead || this.#output === undefined) return;
    this.dead = true;
    this.#world.run({ kind: 'completed', tenantId, taskId: this.taskId, attempt: this.#attempt, output: this.#output });
  }

  status(): void {
    if (this.dead || this.#waiting.size === 0) return;
    // Theirs write what the code asks for at once: nothing goes ahead of it.
    if (this.#manner !== 'ours' && this.#outgoing.length > 0) return this.#sayLater(this.#waiting);
    this.#world.run(this.statusCommand());
  }

  statusCommand(
    waiting: Iterable<[number, Waiter]> = this.#waiting,
  ): CommandByKind['durableStatus'] & { kind: 'durableStatus' } {
    const nodes = [...waiting].map(([node, { branch }]) => ({ branch, node }));
    for (const { node } of nodes) this.#said.add(node);
    return {
      kind: 'durableStatus',
      tenantId,
      workerId: this.workerId,
      tasks: [{ taskId: this.taskId, invocation: this.invocation, nodes }],
    };
  }

  /** Behind all that the code has asked for by then. */
  #sayNew(): void {
    const news = [...this.#waiting].filter(([node]) => !this.#said.has(node));
    if (news.length > 0) this.#sayLater(this.#manner === 'python' ? news : this.#waiting);
  }

  #sayLater(waiting: Iterable<[number, Waiter]>): void {
    const command = this.statusCommand(waiting);
    this.#outgoing.push(() => this.#world.run(command));
  }

  /** Leaves the worker; whatever is on its way is lost. */
  evict(): void {
    this.dead = true;
    this.#world.run({
      kind: 'durableEvict',
      tenantId,
      workerId: this.workerId,
      taskId: this.taskId,
      invocation: this.invocation,
      reason: 'ttl',
    });
  }

  #wait(name: string, conditions: DurableCondition[]): Promise<string> {
    return this.#ask(name, {
      kind: 'wait',
      fingerprint: waitFingerprint(conditions),
      asked: { kind: 'wait', conditions, label: null },
    });
  }

  /** Settles with the answer. */
  #spawn(name: string, fails: boolean): Promise<{ result: Promise<string> }> {
    const ask = this.#childAsk(name, fails);
    return new Promise((answered) => {
      const result = this.#ask(name, ask, () => answered({ result }));
    });
  }

  #ask(name: string, ask: DurableAsk, onAnswer?: () => void): Promise<string> {
    return new Promise((resolve, reject) => {
      const waiter: Omit<Waiter, 'branch'> = {
        name,
        settle: ({ text, failed }) => (failed ? reject(new Error(text)) : resolve(text)),
      };
      this.#outgoing.push(() => {
        const request = ++requests;
        this.#unanswered.push({ request, take: (reply) => this.#answered(reply, { ask, waiter, onAnswer }) });
        this.#world.run({
          kind: 'durableAsk',
          stream: this.#world.state.workersById.get(this.workerId)?.durableStream ?? 0,
          request,
          tenantId,
          workerId: this.workerId,
          taskId: this.taskId,
          invocation: this.invocation,
          ask,
        });
      });
    });
  }

  #answered(
    reply: DurableAnswerEffect['reply'],
    { ask, waiter, onAnswer }: { ask: DurableAsk; waiter: Omit<Waiter, 'branch'>; onAnswer: (() => void) | undefined },
  ): void {
    if (reply.kind === 'stale') this.dead = true;
    else if (reply.kind === 'mismatch') this.trouble = reply.message;
    const [ref] = reply.kind === 'ok' ? reply.refs : [];
    if (ref === undefined) return;
    this.#waiting.set(ref.node, { ...waiter, branch: ref.branch });
    onAnswer?.();
    if (ask.kind !== 'memo' || ref.done) return;
    const payload = this.#memo();
    this.#outgoing.push(() =>
      this.#world.run({
        kind: 'durableMemo',
        tenantId,
        workerId: this.workerId,
        taskId: this.taskId,
        invocation: this.invocation,
        branch: ref.branch,
        node: ref.node,
        payload,
      }),
    );
  }

  #childAsk(name: string, fails: boolean): DurableAsk {
    const index = this.#children++;
    const { run } = this.#world.childOf(this.taskId, index, JSON.stringify({ name, fails }));
    return {
      kind: 'children',
      children: [{ run, workflow: 'kid', name: `index ${index}`, fingerprint: `kid ${name}` }],
    };
  }
}

function sleep(name: string, ms: number): DurableCondition {
  return { kind: 'sleep', ms, duration: `${ms}ms`, group: 0, dataKey: name };
}

function event(name: string, key: string): DurableCondition {
  return { kind: 'event', eventKey: key, scope: null, expression: '', sinceMs: null, group: 0, dataKey: name };
}
