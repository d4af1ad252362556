import { HatchetError } from '../errors.ts';

/** How a label's value goes over the wire: exactly one is set. */
export interface LabelValue {
  strValue: string | undefined;
  intValue: number | undefined;
}

/** @throws HatchetError INVALID_ARGUMENT for what the contract cannot carry: its numbers are whole and have 32 bits */
export function labelValue(name: string, value: string | number): LabelValue {
  if (typeof value === 'string') return { strValue: value, intValue: undefined };
  if (Number.isInteger(value) && value === (value | 0)) return { strValue: undefined, intValue: value };
  throw new HatchetError('INVALID_ARGUMENT', `the label ${name} is ${String(value)}`, {
    remedy: 'Give a text, or a whole number from -2147483648 to 2147483647',
  });
}
