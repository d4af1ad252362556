import { EntryKind } from '../../model/durable/durable.ts';
import type { UndoLog } from '../state/undo-log.ts';
import type { DurableNode } from './durable-log.ts';

/** One status is no sign of more than this, so that a process that was stopped, ours or the worker's, is not taken for one that waits. Workers say it each second, Python's all of it every five. */
const statusSignUs = 1_250_000;

/**
 * How far one invocation has come in its task's log: what it has asked for, what it waits for, and which results it has been
 * told of. Results are told in the order in which they came about; some out of that order, once it is plain that their turn
 * will not come. Nothing of it is stored: the next invocation begins at the log's first node, with a delivery of its own.
 */
export class InvocationProgress {
  /** Nodes that the invocation has asked for; -1 when it is not known, since an engine died in the middle of a replay. */
  position: number;
  /** How many of the log's results it was told of in their order. */
  toldInOrder = 0;
  /** Nodes of which it was told out of their order. */
  readonly toldOutOfOrder = new Set<number>();
  /** Nodes that it waits for, as its worker last said, and those that it asked for since; null before it said anything. */
  awaited: Set<number> | null = null;
  // From here to passedOver: kept for strict workers alone.
  /** Nodes that it had said before, where its worker last said only what was new. */
  carried = new Set<number>();
  /** Nodes that it has ever said it waits for. What it asked for before the last of them and has not said, it leaves alone for now. */
  readonly said = new Set<number>();
  saidLast = 0;
  /** Children that ended while they were left alone: told of once somebody waits for them. */
  readonly passedOver = new Set<number>();
  /** When the invocation was last told of a node: not kept where the worker forgets no result. */
  readonly toldUs = new Map<number, number>();
  /** By node, its conditions whose expression failed on an event, once said. */
  readonly complained = new Map<DurableNode, Set<number>>();
  /** Its worker's stream is a new one, and what the old one carried may be lost: nothing is told before the worker has said what it waits for. */
  muted = false;
  /** When the invocation last asked for something or was told of something. */
  movedUs: number;
  /** How long it has been seen to wait since it last moved, and when its worker last said so. */
  wait: { readonly sinceUs: number; readonly heardUs: number; readonly seenUs: number } | undefined;

  constructor(options: { position: number; movedUs?: number }) {
    this.position = options.position;
    this.movedUs = options.movedUs ?? 0;
  }

  get isLost(): boolean {
    return this.position < 0;
  }

  /** Whether it has asked for the node. */
  hasAsked({ node }: DurableNode): boolean {
    return node <= this.position;
  }

  /** How many results it was told of. */
  get toldCount(): number {
    return this.toldInOrder + this.toldOutOfOrder.size;
  }

  /** @param at the node's place among the log's results */
  wasTold(at: number, { node }: DurableNode): boolean {
    return (at < this.toldInOrder || this.toldOutOfOrder.has(node)) && !this.passedOver.has(node);
  }

  /** It has asked for the node. */
  advance({ node, kind }: DurableNode, nowUs: number, undo: UndoLog): void {
    undo.set(this, 'position', node);
    undo.set(this, 'movedUs', nowUs);
    if (kind !== EntryKind.Memo && this.awaited !== null) undo.add(this.awaited, node);
  }

  tellOutOfOrder({ node }: DurableNode, undo: UndoLog): void {
    undo.delete(this.passedOver, node);
    undo.add(this.toldOutOfOrder, node);
  }

  mute(undo: UndoLog): void {
    undo.set(this, 'muted', true);
  }

  unmute(undo: UndoLog): void {
    undo.set(this, 'muted', false);
  }

  /** Its worker has said that it waits. @returns how long it has been seen to since it last asked or was told of something */
  noteWait(nowUs: number, undo: UndoLog): number {
    const { wait, movedUs } = this;
    const seenUs = wait?.sinceUs === movedUs ? wait.seenUs + Math.min(nowUs - wait.heardUs, statusSignUs) : 0;
    undo.set(this, 'wait', { sinceUs: movedUs, heardUs: nowUs, seenUs });
    return seenUs;
  }

  /** Its worker has said all that it waits for. */
  hearAll(nodes: Set<number>, undo: UndoLog): void {
    undo.set(this, 'awaited', nodes);
  }

  /**
   * A strict worker has said what it waits for. Python's workers say what they begin to wait for, and only from time to time
   * all that they wait for: new nodes alone are added to those before. @returns the new ones
   */
  hearNews(nodes: Set<number>, undo: UndoLog): ReadonlySet<number> {
    const { awaited, carried } = this;
    const news = new Set([...nodes].filter((node) => !this.said.has(node)));
    const isWhole = this.muted || news.size < nodes.size;
    const kept = isWhole ? [] : [...(awaited ?? [])].filter((node) => !carried.has(node));
    undo.set(this, 'awaited', nodes);
    if (isWhole && carried.size > 0) undo.set(this, 'carried', new Set());
    for (const node of kept) undo.add(this.carried, node);
    for (const node of news) {
      undo.add(this.said, node);
      undo.set(this, 'saidLast', Math.max(this.saidLast, node));
    }
    return news;
  }

  /** @returns whether it is the first time that this condition of the node failed for the invocation */
  complain(node: DurableNode, condition: number, undo: UndoLog): boolean {
    let conditions = this.complained.get(node);
    if (conditions?.has(condition) === true) return false;
    if (conditions === undefined) {
      conditions = new Set();
      undo.put(this.complained, node, conditions);
    }
    undo.add(conditions, condition);
    return true;
  }
}
