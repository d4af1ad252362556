import type { Asked, BranchPoint, DurableCondition } from '../../model/durable.ts';
import type { TerminalStatus } from '../../model/status.ts';
import type { DurableNode } from '../durable/durable-log.ts';
import type { LoadedRun } from './loaded-run.ts';
import type { TriggerRun } from './trigger-run.ts';

export interface DurableCommandByKind {
  durableAttach: DurableAttachCommand;
  durableAsk: DurableAskCommand;
  durableMemo: DurableMemoCommand;
  durableEvict: DurableEvictCommand;
  durableStatus: DurableStatusCommand;
  durableRestore: DurableRestoreCommand;
  durableBranch: DurableBranchCommand;
  durableSkip: DurableSkipCommand;
  durableSignal: DurableSignalCommand;
}

export interface DurableReplyByKind {
  durableAttach: void;
  /** Answered by an effect. */
  durableAsk: void;
  durableMemo: void;
  durableEvict: void;
  durableStatus: void;
  durableRestore: DurableRestoreReply;
  durableBranch: DurableBranchReply;
  durableSkip: void;
  durableSignal: void;
}

/** Who speaks for a durable task: one invocation of it, on the worker whose stream carried the message. */
export interface DurableSender {
  tenantId: string;
  /** Null where the message came by no worker's stream. */
  workerId: string | null;
  taskId: string;
  invocation: number;
}

export interface AskedChild {
  run: TriggerRun;
  workflow: string;
  /** Of the child under its parent, by key or index; empty for one that is made anew each time. */
  name: string;
  fingerprint: string;
}

export type DurableAsk =
  | {
      kind: 'wait';
      fingerprint: string;
      asked: Extract<Asked, { kind: 'wait' }>;
      /** The loader adds the payloads of events that were pushed before, by the index of the condition that looks back. */
      lookedBack: Map<number, string>;
    }
  | { kind: 'memo'; key: string; /** JSON, where the caller has the value already. */ payload: string | null }
  | { kind: 'children'; children: readonly AskedChild[] };

/** A worker has opened a durable stream. Changes memory alone. */
export interface DurableAttachCommand {
  kind: 'durableAttach';
  workerId: string;
  stream: number;
  /** It hands results to its code strictly in the order of delivery. */
  strict: boolean;
}

/** The next operation of a durable task. */
export interface DurableAskCommand extends DurableSender {
  kind: 'durableAsk';
  /** The stream that carried it: the answer goes there or nowhere, since requests are numbered anew on the next one. */
  stream: number;
  /** Its number on that stream. */
  request: number;
  ask: DurableAsk;
  /** An earlier try may have committed, so that nobody knows which place of the log this asks for. */
  uncertain: boolean;
  /** The loader adds those of the children that exist, and how those that have ended did. */
  existing: Set<string>;
  ended: Map<string, { status: TerminalStatus; generation: number }>;
}
export interface DurableRef {
  branch: number;
  node: number;
  childRunId: string | null;
  done: boolean;
}
/** `unpatched`: the log was written by code that did not ask for this patch yet. */
export type DurableAskReply =
  | { kind: 'ok'; refs: readonly DurableRef[] }
  | { kind: 'stale'; reason: string }
  | { kind: 'mismatch'; branch: number; node: number; message: string }
  | { kind: 'unpatched' };

/** A memo's function has returned. */
export interface DurableMemoCommand extends DurableSender {
  kind: 'durableMemo';
  branch: number;
  node: number;
  /** JSON. */
  payload: string;
}

/** The worker lets go of an invocation that waits. */
export interface DurableEvictCommand extends DurableSender {
  kind: 'durableEvict';
  reason: string;
}

/** What a worker's invocations wait for. Changes memory alone. */
export interface DurableStatusCommand {
  kind: 'durableStatus';
  tenantId: string;
  workerId: string;
  tasks: readonly { taskId: string; invocation: number; nodes: readonly { branch: number; node: number }[] }[];
}

/** Wakes an evicted task, whatever it waits for. */
export interface DurableRestoreCommand {
  kind: 'durableRestore';
  tenantId: string;
  taskId: string;
}
export interface DurableRestoreReply {
  requeued: boolean;
}

/** Starts a task again from a node of its log, on a branch of its own. One that has ended is replayed. */
export interface DurableBranchCommand {
  kind: 'durableBranch';
  tenantId: string;
  taskId: string;
  /** 0: the current one. */
  branch: number;
  node: number;
  /** The loader brings the task's branch points, the nodes that the branch sees, and the run where it has ended; the task's log where it has not. */
  points: readonly BranchPoint[];
  nodes: readonly DurableNode[];
  loaded: readonly LoadedRun[];
  /** The task's newest branch when the loader first looked, and the one that an uncertain try has made since. */
  seen: number | null;
  made: BranchPoint | null;
}
export interface DurableBranchReply {
  branch: number;
  node: number;
}

/** Ends a sleep early. */
export interface DurableSkipCommand {
  kind: 'durableSkip';
  tenantId: string;
  taskId: string;
  branch: number;
  node: number;
}

/** A wait of an older SDK. Asked again under its key, it is the same wait. */
export interface DurableSignalCommand {
  kind: 'durableSignal';
  tenantId: string;
  taskId: string;
  key: string;
  conditions: readonly DurableCondition[];
}
