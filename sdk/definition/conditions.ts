import { randomUUID } from 'node:crypto';
import type {
  Action,
  BaseMatchCondition,
  DurableEventListenerConditions,
  TaskConditions,
} from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { Action as WireAction } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { applyNamespace } from '../config/client-config.ts';
import { durationToMs, durationToString, type Duration } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import type { TaskRef } from '../run/run-target.ts';
import { keyOf, type AnyEvent } from './event.ts';

/** Met once this time has passed since the task's parents completed. */
export interface Sleep {
  sleepFor: Duration;
  /** Under which `ctx.triggers()` has it. @default `sleep-<duration>` */
  readableDataKey?: string | undefined;
}

/** Met by an event that is pushed after the task's parents completed. */
export interface UserEvent {
  eventKey: string | AnyEvent;
  /** CEL over `input`, the event's payload. @default every event of the key */
  expression?: string | undefined;
  /** Only events of this scope. */
  scope?: string | undefined;
  /** In a durable task, with a scope: events that were pushed since then count too. @default those pushed from now on */
  considerEventsSince?: Date | string | undefined;
  /** Under which `ctx.triggers()` has the payload. @default the event's key */
  readableDataKey?: string | undefined;
}

/** Met by a parent's output. */
export interface Parent {
  parent: TaskRef<unknown>;
  /** CEL over `output`, that of the parent. @default every output */
  expression?: string | undefined;
  /** @default `parent-<name>` */
  readableDataKey?: string | undefined;
}

export type SingleCondition = Sleep | UserEvent | Parent;

/** Conditions of which one is enough. */
export class OrCondition {
  readonly conditions: readonly SingleCondition[];

  constructor(conditions: readonly SingleCondition[]) {
    this.conditions = conditions;
  }
}

export type TaskCondition = SingleCondition | OrCondition;

/** One of these is enough; a list of conditions without it needs all of them. */
export function Or(...conditions: readonly SingleCondition[]): OrCondition {
  return new OrCondition(conditions);
}

/** A sleep, as the official SDK writes it. */
export class SleepCondition implements Sleep {
  readonly sleepFor: Duration;
  readonly readableDataKey: string | undefined;

  constructor(sleepFor: Duration, readableDataKey?: string) {
    this.sleepFor = sleepFor;
    this.readableDataKey = readableDataKey;
  }
}

/** An event, as the official SDK writes it. */
export class UserEventCondition implements UserEvent {
  readonly eventKey: string;
  readonly expression: string;
  readonly readableDataKey: string | undefined;

  constructor(eventKey: string | AnyEvent, expression = '', readableDataKey?: string) {
    this.eventKey = keyOf(eventKey);
    this.expression = expression;
    this.readableDataKey = readableDataKey;
  }
}

/** A parent's output, as the official SDK writes it. */
export class ParentCondition implements Parent {
  readonly parent: TaskRef<unknown>;
  readonly expression: string | undefined;
  readonly readableDataKey: string | undefined;

  constructor(parent: TaskRef<unknown>, expression?: string, readableDataKey?: string) {
    this.parent = parent;
    this.expression = expression;
    this.readableDataKey = readableDataKey;
  }
}

/** When a task starts, is skipped, or is cancelled. Conditions of a list are all needed; `Or` makes alternatives. */
export interface ConditionSettings {
  /** Starts once these are met. */
  waitFor?: TaskCondition | readonly TaskCondition[] | undefined;
  /** Is skipped, before all else, once these are met. */
  skipIf?: TaskCondition | readonly TaskCondition[] | undefined;
  /** Is cancelled once these are met. */
  cancelIf?: TaskCondition | readonly TaskCondition[] | undefined;
}

/** What a durable task can wait for. */
export type WaitCondition = Sleep | UserEvent | OrCondition;

/**
 * What a durable task waits for, as it is sent.
 * @throws HatchetError INVALID_ARGUMENT, INVALID_DURATION
 */
export function waitConditions(
  given: WaitCondition | readonly WaitCondition[],
  namespace: string,
): DurableEventListenerConditions {
  const conditions: TaskConditions = { parentOverrideConditions: [], sleepConditions: [], userEventConditions: [] };
  addAll(conditions, given, { action: WireAction.CREATE, namespace });
  const { parentOverrideConditions, sleepConditions, userEventConditions } = conditions;
  if (parentOverrideConditions.length > 0)
    throw new HatchetError(
      'INVALID_ARGUMENT',
      'a durable task cannot wait for a parent: it starts once its parents have completed',
      { remedy: 'Read the output with ctx.parentOutput, or wait for a child with ctx.runChild' },
    );
  if (sleepConditions.length + userEventConditions.length === 0)
    throw new HatchetError('INVALID_ARGUMENT', 'there is nothing to wait for', { remedy: 'Give a sleep or an event' });
  const early = userEventConditions.find(
    ({ considerEventsSince, eventScope }) =>
      considerEventsSince !== undefined && (eventScope === undefined || eventScope === ''),
  );
  if (early !== undefined)
    throw new HatchetError('INVALID_ARGUMENT', `the wait for ${early.userEventKey} looks back without a scope`, {
      remedy: 'Give the scope with which the events are pushed',
    });
  return { sleepConditions, userEventConditions };
}

/** How long these cannot be met, whatever happens. */
export function soonestMs(given: WaitCondition | readonly WaitCondition[]): number {
  return Math.max(
    0,
    ...listOf(given).map((each) =>
      Math.min(
        ...(each instanceof OrCondition ? each.conditions : [each]).map((one) =>
          'sleepFor' in one ? durationToMs(one.sleepFor) : 0,
        ),
      ),
    ),
  );
}

export function taskConditions(settings: ConditionSettings, namespace: string): TaskConditions {
  const conditions: TaskConditions = { parentOverrideConditions: [], sleepConditions: [], userEventConditions: [] };
  addAll(conditions, settings.waitFor, { action: WireAction.QUEUE, namespace });
  addAll(conditions, settings.cancelIf, { action: WireAction.CANCEL, namespace });
  addAll(conditions, settings.skipIf, { action: WireAction.SKIP, namespace });
  return conditions;
}

function addAll(
  conditions: TaskConditions,
  given: TaskCondition | readonly TaskCondition[] | undefined,
  { action, namespace }: { action: Action; namespace: string },
): void {
  for (const each of listOf(given)) {
    const orGroupId = randomUUID();
    const alternatives = each instanceof OrCondition ? each.conditions : [each];
    if (alternatives.length === 0)
      throw new HatchetError('INVALID_ARGUMENT', 'an Or without conditions can never be met', {
        remedy: 'Give it one or more, or leave it out',
      });
    for (const one of alternatives) addOne(conditions, one, { action, orGroupId, namespace });
  }
}

function listOf<Condition extends TaskCondition>(
  given: Condition | readonly Condition[] | undefined,
): readonly Condition[] {
  if (given === undefined) return [];
  return isList(given) ? given : [given];
}

function isList<Condition extends TaskCondition>(
  given: Condition | readonly Condition[],
): given is readonly Condition[] {
  return Array.isArray(given);
}

function addOne(
  conditions: TaskConditions,
  one: SingleCondition,
  place: { action: Action; orGroupId: string; namespace: string },
): void {
  const { action, orGroupId, namespace } = place;
  const base = (dataKey: string, expression: string): BaseMatchCondition => ({
    readableDataKey: one.readableDataKey ?? dataKey,
    action,
    orGroupId,
    expression,
  });
  if ('sleepFor' in one) {
    const sleepFor = durationToString(one.sleepFor);
    conditions.sleepConditions.push({ base: base(`sleep-${sleepFor}`, ''), sleepFor });
  } else if ('eventKey' in one) {
    conditions.userEventConditions.push({
      base: base(keyOf(one.eventKey), one.expression ?? ''),
      userEventKey: applyNamespace(keyOf(one.eventKey), namespace),
      eventScope: one.scope,
      considerEventsSince: one.considerEventsSince === undefined ? undefined : new Date(one.considerEventsSince),
    });
  } else if (!('parent' in one)) {
    // Callers without types.
    const given: unknown = one;
    const what = given instanceof OrCondition ? 'an Or' : Array.isArray(given) ? 'a list' : JSON.stringify(given);
    throw new HatchetError('INVALID_ARGUMENT', `${what} stands where a single condition is needed`, {
      remedy: 'Use { sleepFor }, { eventKey } or { parent }; an Or takes these alone, and a list takes these and Ors',
    });
  } else {
    conditions.parentOverrideConditions.push({
      base: base(`parent-${one.parent.name}`, one.expression ?? ''),
      parentReadableId: one.parent.name,
    });
  }
}
