import type { Asked, BranchPoint, DurableCondition, DurableResult, EntryKind } from '../../model/durable/durable.ts';

/** One operation of a durable task, as its log has it. */
export interface DurableNode {
  readonly branch: number;
  readonly node: number;
  readonly kind: EntryKind;
  readonly fingerprint: string;
  readonly asked: Asked;
  readonly askedSeq: number;
  readonly askedUs: number;
  /** The invocation that asked first. */
  readonly invocation: number;
  readonly childRunId: string | null;
  /** By the wait's conditions: JSON of what met each. */
  readonly met: (string | null)[];
  result: DurableResult | null;
  /** Nodes that were asked before this one was satisfied: a replay learns of its result only after it has asked them. */
  need: number;
}

const noConditions: readonly DurableCondition[] = [];

export function conditionsOf({ asked }: DurableNode): readonly DurableCondition[] {
  return asked.kind === 'wait' || asked.kind === 'signal' ? asked.conditions : noConditions;
}

/**
 * The log of one durable task, as far as its current branch sees it: what is stored, and nothing else. What an invocation has
 * been told of it is its `InvocationProgress`. In memory only while the task is on a worker, or for the transaction that changes it: a
 * task that sleeps is rows alone.
 */
export class DurableLog {
  readonly taskId: string;
  readonly branch: number;
  /** By node number less one. */
  readonly nodes: DurableNode[];
  readonly signals = new Map<string, DurableNode>();
  /** Of `nodes`, the children that have a name under their parent, by it. */
  readonly #children = new Map<string, DurableNode>();
  /** Of `nodes`, the waits that may be open still, in their order. */
  readonly #waits = new Set<DurableNode>();
  /** Nodes in the order in which they were satisfied. */
  readonly satisfied: DurableNode[];
  /** Of a branch that this very transaction made: what comes in the transaction is heard, and the task's start reads the log anew. */
  readonly isProvisional: boolean;

  constructor(options: { taskId: string; branch: number; nodes: readonly DurableNode[]; isProvisional?: boolean }) {
    this.taskId = options.taskId;
    this.branch = options.branch;
    this.nodes = [];
    for (const node of options.nodes) this.add(node);
    this.isProvisional = options.isProvisional ?? false;
    this.satisfied = options.nodes
      .filter((node) => node.result !== null)
      .sort((a, b) => (a.result?.seq ?? 0) - (b.result?.seq ?? 0));
  }

  /** The next node of the branch. */
  add(node: DurableNode): void {
    this.nodes.push(node);
    if (node.asked.kind === 'wait' && node.result === null) this.#waits.add(node);
    // Where two have one name, the first is the one that later asks get.
    if (node.asked.kind === 'child' && node.asked.child !== '' && !this.#children.has(node.asked.child))
      this.#children.set(node.asked.child, node);
  }

  /** Undoes `add`. */
  removeLast(): void {
    const node = this.nodes.pop();
    if (node === undefined) return;
    this.#waits.delete(node);
    if (node.asked.kind === 'child' && this.#children.get(node.asked.child) === node)
      this.#children.delete(node.asked.child);
  }

  /** The child of that name. */
  child(name: string): DurableNode | undefined {
    return this.#children.get(name);
  }

  at(node: number): DurableNode | undefined {
    return this.nodes[node - 1];
  }

  holds(node: DurableNode): boolean {
    return node.asked.kind === 'signal' ? this.signals.get(node.asked.key) === node : this.at(node.node) === node;
  }

  /** The node, if it is one that the current branch sees. */
  find(branch: number, node: number): DurableNode | undefined {
    const found = this.at(node);
    return found?.branch === branch ? found : undefined;
  }

  /** Those of its waits that are open, signals included. */
  *openWaits(): Generator<DurableNode> {
    for (const node of this.#waits) if (node.result === null) yield node;
    for (const node of this.signals.values()) if (node.result === null) yield node;
  }
}

/** The branch on which a node of the current branch's history lies. */
export function branchOfNode(points: readonly BranchPoint[], branch: number, node: number): number {
  for (let at = branch; ;) {
    const point = points.find((each) => each.branch === at);
    if (point === undefined || node >= point.first) return at;
    at = point.parent;
  }
}
