import { HatchetError, type HatchetErrorCode } from './errors.ts';

/** A value of an enum's object, or its name: `ConcurrencyLimitStrategy.CANCEL_NEWEST` or `'CANCEL_NEWEST'`. */
export type EnumInput<Values extends Readonly<Record<string, number>>> = Values[keyof Values] | (keyof Values & string);

/**
 * The value that is meant.
 * @param what the option in words, such as `limitStrategy of the task simple`
 * @throws HatchetError of that code for what the enum does not have, with all names that it has
 */
export function enumValue<Values extends Readonly<Record<string, number>>>(
  values: Values,
  given: EnumInput<Values>,
  what: string,
  code: HatchetErrorCode,
): Values[keyof Values] {
  for (const name of namesOf(values)) if (given === name || given === values[name]) return values[name];
  throw new HatchetError(code, `${what} is ${JSON.stringify(given)}`, {
    remedy: `Use one of ${namesOf(values).join(', ')}`,
  });
}

function namesOf<Values extends Readonly<Record<string, number>>>(values: Values): (keyof Values & string)[] {
  return Object.keys(values).filter((name): name is keyof Values & string => Object.hasOwn(values, name));
}
