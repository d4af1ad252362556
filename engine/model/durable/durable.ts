import { describeMemoKey } from './memo-key.ts';
import type { TerminalStatus } from '../task/status.ts';

/** What a node of a durable task's log is. The numbers are stored. */
export const EntryKind = {
  /** Not a node: where a branch leaves another. */
  Branch: 0,
  Wait: 1,
  Child: 2,
  Memo: 3,
  /** A wait of an older SDK, named by a key instead of its place; all of them are on branch 0. */
  Signal: 4,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

export function isEntryKind(value: number): value is EntryKind {
  return value >= 0 && value <= 4 && Number.isInteger(value);
}

/** Tasks start on it. */
export const firstBranch = 1;
export const signalBranch = 0;
/** The condition number of a row that satisfies its whole node. */
export const wholeNode = -1;

interface WaitBase {
  /** Alternatives share a group; groups are all needed. */
  group: number;
  /** Under which the task finds what satisfied it. */
  dataKey: string;
}
export interface DurableSleep extends WaitBase {
  kind: 'sleep';
  ms: number;
  /** As it was written. */
  duration: string;
}
export interface DurableEvent extends WaitBase {
  kind: 'event';
  eventKey: string;
  scope: string | null;
  /** CEL over the payload as `input`; empty for none. */
  expression: string;
  /** Milliseconds since the epoch: events pushed since then count too. Only with a scope. */
  sinceMs: number | null;
}
export type DurableCondition = DurableSleep | DurableEvent;

/** Where a branch leaves another: nodes below `first` are the parent's. */
export interface BranchPoint {
  branch: number;
  parent: number;
  first: number;
  /** Its task's input is stored with it, in place of the run's. */
  hasInput: boolean;
}

/** What an entry's `asked` holds, by kind. */
export type Asked =
  | { kind: 'wait'; conditions: readonly DurableCondition[]; label: string | null }
  | { kind: 'child'; workflow: string; child: string; input: string }
  | { kind: 'memo'; key: string }
  | { kind: 'signal'; key: string; conditions: readonly DurableCondition[] }
  | { kind: 'branch'; parent: number; first: number; hasInput?: true };

/** As stored: with when it was asked, where its number in the shard's sequence does not say so. */
export function storedAsked({ asked, askedSeq, askedUs }: { asked: Asked; askedSeq: number; askedUs: number }): string {
  return JSON.stringify(askedUs === askedSeq ? asked : { ...asked, askedUs });
}

export function parseAsked(text: string, askedSeq: number): { asked: Asked; askedUs: number } {
  const { askedUs = askedSeq, ...asked }: Asked & { askedUs?: number } = JSON.parse(text);
  return { asked, askedUs };
}

export interface DurableResult {
  /** Its place in the order in which the task's nodes were satisfied. */
  seq: number;
  status: TerminalStatus;
}

/** All of a wait's groups have a condition that is met. */
export function isSatisfied(conditions: readonly DurableCondition[], met: readonly (string | null)[]): boolean {
  const open = new Set(conditions.map((condition) => condition.group));
  for (const [index, condition] of conditions.entries())
    if ((met[index] ?? null) !== null) open.delete(condition.group);
  return open.size === 0;
}

/** What a satisfied wait gives its task: JSON, by data key. */
export function waitPayload(conditions: readonly DurableCondition[], met: readonly (string | null)[]): string {
  const byKey = new Map<string, string[]>();
  for (const [index, { dataKey }] of conditions.entries()) {
    const data = met[index] ?? null;
    if (data === null) continue;
    const list = byKey.get(dataKey) ?? [];
    byKey.set(dataKey, list);
    list.push(data);
  }
  const entries = [...byKey].map(([key, list]) => `${JSON.stringify(key)}:[${list.join(',')}]`);
  return `{"CREATE":{${entries.join(',')}}}`;
}

/** In a few words, for people. */
export function describeAsked(asked: Asked): string {
  switch (asked.kind) {
    case 'wait':
    case 'signal':
      return describeConditions(asked.conditions);
    case 'child':
      return `run ${asked.workflow}(${asked.input.length > 60 ? `${asked.input.slice(0, 60)}…` : asked.input})`;
    case 'memo':
      return describeMemoKey(asked.key);
    case 'branch':
      return asked.hasInput === true
        ? `continued as new after branch ${asked.parent}`
        : `branch from node ${asked.first} of branch ${asked.parent}`;
  }
}

function describeConditions(conditions: readonly DurableCondition[]): string {
  const groups = new Map<number, string[]>();
  for (const condition of conditions) {
    const scope =
      condition.kind === 'event' && condition.scope !== null ? ` in scope ${JSON.stringify(condition.scope)}` : '';
    const text =
      condition.kind === 'sleep'
        ? `sleep ${condition.duration}`
        : `event ${JSON.stringify(condition.eventKey)}${scope}${condition.expression === '' ? '' : ` if ${condition.expression}`}`;
    groups.set(condition.group, [...(groups.get(condition.group) ?? []), text]);
  }
  return [...groups.values()].map((group) => group.join(' or ')).join(', and ');
}
