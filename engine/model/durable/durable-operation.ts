import type { Asked } from './durable.ts';
import type { TriggerRun } from '../task/trigger-run.ts';
import type { TenantId } from '../ids/tenant-id.ts';

/** Who speaks for a durable task: one invocation of it, on the worker whose stream carried the message. */
export interface DurableSender {
  tenantId: TenantId;
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

/** What a durable task asks for with its next operation. */
export type DurableAsk =
  | { kind: 'wait'; fingerprint: string; asked: Extract<Asked, { kind: 'wait' }> }
  | { kind: 'memo'; key: string; /** JSON, where the caller has the value already. */ payload: string | null }
  | { kind: 'children'; children: readonly AskedChild[] };

/** A place of the log that an operation got. */
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
