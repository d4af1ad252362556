import type { CelVariables } from '../../cel/cel-variables.ts';
import type { DurableCondition } from '../../model/durable/durable.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import type { Plan } from '../state/plan.ts';
import type { EventWaking } from '../state/event-wakings.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { Facts, WakingPage } from './loaded-facts.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/**
 * All that the engine has to know of a kind of command; one that forgets a member does not compile. A command itself is a
 * record that nobody writes to once it is sent: what is loaded for it comes as facts.
 */
export interface Kind<C extends { kind: string }, Reply> {
  /**
   * The tenant for which it makes rows that did not exist, so that it is refused once that tenant is being deleted; undefined
   * where it only changes or ends what there is.
   */
  makesRowsOf(this: void, command: C): TenantId | undefined;
  /** What must be read before it is planned. */
  needs(this: void, command: C, known: Known): Needs;
  /** The runs that it may start: the idempotency keys that they ask for are looked up. */
  startsRuns(this: void, command: C): readonly TriggerRun[];
  /** Visits its texts that a caller may make as long as a payload may be. */
  payloads(this: void, command: C, visit: (text: string) => void): void;
  /** About how many rows it writes: a transaction takes commands until their weights fill it. */
  weight(this: void, command: C): number;
  /** How one that brings many is cut into commands that are planned apart; undefined where it goes as a whole. */
  readonly split: Split<C, Reply> | undefined;
  /**
   * Changes the shard's memory and says what is to be written. Run again with its ids it changes nothing.
   * @throws HatchetError for a refusal; whoever calls takes back what was done by then
   */
  plan(this: void, plan: Plan, command: C, facts: Facts): Reply;
}

/**
 * For commands of one call whose parts do not depend on each other. Each part is stored as a whole, and all that one call brings
 * need not be stored together: ids make a call that is repeated harmless.
 */
export interface Split<C, Reply> {
  into(this: void, command: C): readonly C[];
  /** Of the parts, in their order. */
  join(this: void, replies: readonly Reply[]): Reply;
}

/** What is known before a command is loaded. */
export interface Known {
  readonly state: ShardState;
  readonly nowUs: number;
  /** An earlier try of the command may have committed. */
  readonly isUncertain: boolean;
}

/** What a command needs that memory may lack. Nothing of it is read where nothing is asked for. */
export interface Needs {
  /** Runs that may exist already. */
  readonly runIds?: readonly string[];
  /** Runs that an earlier attempt of a parent may have started; those that failed or were cancelled don't count. */
  readonly reusableRunIds?: readonly string[];
  /** Events that may exist already. */
  readonly eventIds?: readonly string[];
  /** Schedules that may exist already. */
  readonly scheduleIds?: readonly string[];
  /** Runs of which it matters whether they exist and how they ended. */
  readonly endsOf?: readonly string[];
  /** Durable tasks whose logs it reads or adds to. */
  readonly logsOf?: readonly string[];
  /** Durable tasks that go on by their logs, or else wait a little longer. */
  readonly sleepers?: readonly string[];
  /** Durable tasks that listen for these events need their logs too, where they are not too many. */
  readonly events?: readonly ComingEvent[];
  /** An event whose turn it is to wake what waits for it. */
  readonly waking?: { readonly waking: EventWaking; readonly tasks: number };
  readonly deliveries?: readonly { eventId: string; delivery: WebhookDelivery }[];
  /** Conditions that an event of the past may meet, by their index. */
  readonly looksBack?: readonly { index: number; condition: Extract<DurableCondition, { kind: 'event' }> }[];
  /** Runs or tasks that are to run again. */
  readonly again?: readonly string[];
  /** A durable task that is to start again from a node of this branch; 0 for the current one. */
  readonly branch?: { readonly taskId: string; readonly branch: number };
  /** Expressions that the plan may ask for, once the logs are in memory. */
  readonly expressions?: (state: ShardState, found: FoundEventWaiters) => readonly AskedExpressions[];
}

/** What was found of those who listen for events. */
export interface FoundEventWaiters {
  /** Events that are told later to what waits for them. */
  readonly wakeLater: ReadonlySet<string>;
  /** Of the event that the command wakes by. */
  readonly page: WakingPage | undefined;
}

/** Expressions over one place's data, which never changes. */
export interface AskedExpressions {
  /** The event's or the task's id. */
  readonly place: string;
  readonly expressions: Iterable<string>;
  readonly variables: CelVariables;
}

export interface ComingEvent {
  id: string;
  tenantId: TenantId;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
}

/** A delivery to a webhook, which becomes an event once however often it comes. */
export interface WebhookDelivery {
  webhookId: string;
  nowUs: number;
  /** What it is known again by. */
  keys: readonly { key: string; expiresUs: number }[];
}

const nothing: Needs = {};
const noRuns: readonly TriggerRun[] = [];

export const makesNoRows = (): undefined => undefined;
export const needsNothing = (): Needs => nothing;
export const startsNoRuns = (): readonly TriggerRun[] => noRuns;
export const hasNoPayloads = (): void => undefined;
export const weighsOne = (): number => 1;

/** A part of a command that is split writes about so many rows: what one tenant may have of a transaction beside others. */
export const partRows = 50;

/** In their order, as many in each part as write no more than a part's rows together; one that writes more is alone. */
export function inParts<Item>(items: readonly Item[], rowsOf: (item: Item) => number): Item[][] {
  const parts: Item[][] = [];
  let rows = Infinity;
  for (const item of items) {
    const more = rowsOf(item);
    if (rows + more > partRows) {
      parts.push([]);
      rows = 0;
    }
    parts.at(-1)?.push(item);
    rows += more;
  }
  return parts;
}

/** The tasks that the runs have together. */
export function tasksOf(runs: readonly TriggerRun[]): number {
  let tasks = 0;
  for (const run of runs) tasks += run.taskIds.length;
  return tasks;
}

export function visitRun({ input, metadata, filterPayload }: TriggerRun, visit: (text: string) => void): void {
  visit(input);
  visit(metadata);
  if (filterPayload !== null) visit(filterPayload);
}
