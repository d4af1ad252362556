import type { CelResult } from '../../cel/cel-result.ts';
import type { BranchPoint } from '../../model/durable/durable.ts';
import type { TerminalStatus } from '../../model/task/status.ts';
import type { Listener } from '../durable/meet-durable-event.ts';
import type { DurableNode } from '../durable/durable-log.ts';
import type { StoredRun } from '../lifecycle/stored-run.ts';
import type { ListenPlace } from '../state/event-wakings.ts';

/** How the newest generation of a run ended. */
export interface StoredEnd {
  status: TerminalStatus;
  generation: number;
}

/** Where a durable task's branches leave each other, and the nodes that the asked-for branch sees. */
export interface StoredBranches {
  points: readonly BranchPoint[];
  nodes: readonly DurableNode[];
  /** The branch that an uncertain try has made since. */
  made: BranchPoint | null;
}

/** An event that wakes what waits for it in several transactions, and what this one is to meet. */
export interface WakingPage {
  readonly eventId: string;
  /** Undefined where the event is not stored any more. */
  readonly event: { readonly scope: string | null; readonly payload: string } | undefined;
  /** From which place on durable tasks were read; null where waiting steps come first. */
  readonly from: ListenPlace | null;
  readonly listeners: readonly Listener[];
  /** From which place on there may be more; null where there are none. */
  readonly next: ListenPlace | null;
}

/** What a loader brought for one command, read between the transaction before it and its own: nothing has changed in between. */
export interface Facts {
  /** An earlier try of the command may have committed. */
  readonly isUncertain: boolean;
  /** Of the ids of runs, events and schedules that were asked for, those that are stored. */
  readonly storedIds: ReadonlySet<string>;
  /** By run. */
  readonly ends: ReadonlyMap<string, StoredEnd>;
  /** By the id of an event that a webhook's delivery brings: the event that the delivery became before. */
  readonly deliveredAs: ReadonlyMap<string, string>;
  /** Payloads of events that were pushed before a wait for them, by the index of the condition that looks back. */
  readonly lookedBack: ReadonlyMap<number, string>;
  /** Events that concern more durable tasks than their transaction may meet. */
  readonly wakeLater: ReadonlySet<string>;
  readonly wakingPage: WakingPage | undefined;
  /** Runs that are to run again. */
  readonly storedRuns: readonly StoredRun[];
  /** Ids whose runs would be too much for one transaction beside the others: another command must ask for them. */
  readonly deferredIds: readonly string[];
  readonly branches: StoredBranches | undefined;
  /** What expressions give that are too dear for the plan, by the id of the event or task on whose data they look. */
  readonly evaluated: ReadonlyMap<string, ReadonlyMap<string, CelResult>>;
}

/** For a command that needs none. */
export const noFacts: Facts = {
  isUncertain: false,
  storedIds: new Set(),
  ends: new Map(),
  deliveredAs: new Map(),
  lookedBack: new Map(),
  wakeLater: new Set(),
  wakingPage: undefined,
  storedRuns: [],
  deferredIds: [],
  branches: undefined,
  evaluated: new Map(),
};
