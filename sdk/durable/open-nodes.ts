import type { DurableEventLogEntryRef } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { Answer, DurableRequest } from './unanswered-requests.ts';
import type { Due } from './turns.ts';

/** A node of the task's log. */
export interface Place {
  readonly branchId: bigint;
  readonly nodeId: bigint;
}

export interface Waiter<Result = string> {
  readonly settle: (result: Result) => void;
  readonly fail: (error: Error) => void;
  /** Where the code's turn is that of an answer, and not that of a result. */
  readonly due: Due | undefined;
}

/** A child that has not ended. */
export interface SilentChild extends Place {
  readonly runId: string;
  readonly workflow: string;
  /** Seconds that it was waited for here. */
  ticks: number;
  /** The engine has said that there is such a run. */
  isThere: boolean;
  /** How often it has said that there is none. */
  misses: number;
}

/** A node whose result has not come. */
export interface OpenNode extends Place, Waiter {
  readonly child?: SilentChild | undefined;
  /** Of a memo whose value the engine may not have. */
  readonly completion?: DurableRequest | undefined;
  /** Nothing but time can end it, and that took long when it was first asked for. */
  readonly isLongSleep?: boolean | undefined;
}

/** Seconds after which it is asked whether a child is there. */
const silentTicks = [3, 4, 6, 10, 18, 30, 42, 60];
const firstTicks = 3;

/** What an invocation waits for. */
export class OpenNodes {
  readonly #nodes = new Map<bigint, OpenNode>();
  #longSleeps = 0;
  #unconfirmed = 0;

  get size(): number {
    return this.#nodes.size;
  }

  /** Whether there are some, and none but long sleeps. */
  get areLongSleeps(): boolean {
    return this.#nodes.size > 0 && this.#longSleeps === this.#nodes.size;
  }

  /** Whether there is a memo whose value the engine may not have. */
  get hasUnconfirmed(): boolean {
    return this.#unconfirmed > 0;
  }

  [Symbol.iterator](): MapIterator<OpenNode> {
    return this.#nodes.values();
  }

  add(node: OpenNode): void {
    this.#nodes.set(node.nodeId, node);
    if (node.isLongSleep === true) this.#longSleeps += 1;
    if (node.completion !== undefined) this.#unconfirmed += 1;
  }

  /** The node, which is open no longer; undefined where it was not. */
  close({ branchId, nodeId }: Place): OpenNode | undefined {
    const node = this.#nodes.get(nodeId);
    if (node?.branchId !== branchId) return undefined;
    this.#nodes.delete(nodeId);
    if (node.isLongSleep === true) this.#longSleeps -= 1;
    if (node.completion !== undefined) this.#unconfirmed -= 1;
    return node;
  }

  /** By its number alone. */
  find(nodeId: bigint): OpenNode | undefined {
    return this.#nodes.get(nodeId);
  }

  /** Called once a second. @returns children that were silent for so long, and of which it is not known whether they are there */
  silentChildren(): SilentChild[] {
    return this.#unsureChildren().filter((child) => silentTicks.includes(++child.ticks));
  }

  /** Whether none of them may be a child that will never be. Those of which it is not known are asked for at the next tick. */
  areSure(): boolean {
    const unsure = this.#unsureChildren();
    for (const child of unsure) child.ticks = Math.max(child.ticks, firstTicks);
    return unsure.length === 0;
  }

  clear(): void {
    this.#nodes.clear();
    this.#longSleeps = 0;
    this.#unconfirmed = 0;
  }

  #unsureChildren(): SilentChild[] {
    return [...this.#nodes.values()].flatMap(({ child }) => (child === undefined || child.isThere ? [] : [child]));
  }
}

export function placeOf(ref: DurableEventLogEntryRef | undefined): Place {
  return { branchId: ref?.branchId ?? 0n, nodeId: ref?.nodeId ?? 0n };
}

/** What an answer gives. */
export function placesOf(answer: Answer): readonly Place[] {
  return answer.$case === 'triggerRunsAck' ? answer.value.runEntries : [placeOf(answer.value.ref)];
}
