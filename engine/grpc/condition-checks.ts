import { parseDuration } from '../model/duration.ts';
import type { BaseMatchCondition, SleepMatchCondition, UserEventMatchCondition } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { invalid, optionalExpression } from './definition-error.ts';
import { limitedText } from './request-limit.ts';

/** Conditions of one task, or of one wait. */
export const mostConditions = 100;
const longestKey = 1000;
/** A year. */
const longestSleepMs = 366 * 86_400_000;

/**
 * What the conditions of a task's definition and those of a durable wait have in common. Or-groups are numbered as they appear:
 * SDKs name them by a fresh id each time, and what has not changed must read the same.
 */
export class ConditionChecks {
  readonly #where: string;
  readonly #groups: string[] = [];

  /** @param where as an error says it: `of the wait` */
  constructor(where: string) {
    this.#where = where;
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  base(wire: BaseMatchCondition | undefined): { group: number; dataKey: string } {
    const id = wire?.orGroupId ?? '';
    const known = id === '' ? -1 : this.#groups.indexOf(id);
    return { group: known < 0 ? this.#groups.push(id) - 1 : known, dataKey: limitedText(wire?.readableDataKey ?? '', `the data key of a condition ${this.#where}`).replaceAll('\0', '') };
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  expression(wire: BaseMatchCondition | undefined): string {
    return optionalExpression(wire?.expression, `a condition ${this.#where}`) ?? '';
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  sleep({ sleepFor }: SleepMatchCondition): { kind: 'sleep'; ms: number; duration: string } {
    const ms = parseDuration(sleepFor);
    if (ms === undefined || ms > longestSleepMs) throw invalid(`the sleep ${JSON.stringify(sleepFor)} ${this.#where} is not a duration of up to a year`, 'Write it like 500ms, 90s or 1h30m.');
    return { kind: 'sleep', ms, duration: sleepFor };
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  event({ userEventKey, eventScope }: UserEventMatchCondition): { kind: 'event'; eventKey: string; scope: string | null } {
    if (userEventKey === '' || userEventKey.length > longestKey || userEventKey.includes('\0')) throw invalid(`an event key ${this.#where} has ${userEventKey.length} characters`, `Use 1 to ${longestKey}, without NUL.`);
    if (eventScope !== undefined && eventScope.length > longestKey) throw invalid(`an event scope ${this.#where} has ${eventScope.length} characters`, `Use up to ${longestKey}.`);
    return { kind: 'event', eventKey: userEventKey, scope: eventScope === undefined || eventScope === '' ? null : eventScope.replaceAll('\0', '') };
  }
}
