import { optionalExpression } from '../../edge/parse/expression.ts';
import { optionalText, text } from '../../edge/parse/text.ts';
import { duration } from '../../edge/parse/time.ts';
import type {
  BaseMatchCondition,
  SleepMatchCondition,
  UserEventMatchCondition,
} from '../../../proto/gen/hatchet/contract/v1/condition.ts';

/** Conditions of one task, or of one wait. */
export const mostConditions = 100;
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
    return {
      group: known < 0 ? this.#groups.push(id) - 1 : known,
      dataKey: text(wire?.readableDataKey ?? '', `the data key of a condition ${this.#where}`),
    };
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  expression(wire: BaseMatchCondition | undefined): string {
    return optionalExpression(wire?.expression, `a condition ${this.#where}`) ?? '';
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  sleep({ sleepFor }: SleepMatchCondition): { kind: 'sleep'; ms: number; duration: string } {
    const ms = duration(sleepFor, `the sleep ${this.#where}`, { most: longestSleepMs });
    return { kind: 'sleep', ms, duration: sleepFor };
  }

  /** @throws HatchetError INVALID_ARGUMENT */
  event({ userEventKey, eventScope }: UserEventMatchCondition): {
    kind: 'event';
    eventKey: string;
    scope: string | null;
  } {
    return {
      kind: 'event',
      eventKey: text(userEventKey, `an event key ${this.#where}`, { least: 1 }),
      scope: optionalText(eventScope, `an event scope ${this.#where}`),
    };
  }
}
