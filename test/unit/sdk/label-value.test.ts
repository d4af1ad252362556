import { expect, it } from 'vitest';
import { labelValue } from '../../../sdk/run/label-value.ts';

it('carries texts and whole numbers', () => {
  expect(labelValue('gpu', 'a100')).toEqual({ strValue: 'a100', intValue: undefined });
  expect(labelValue('memory', -(2 ** 31))).toEqual({ strValue: undefined, intValue: -2147483648 });
});

it.each([1.5, NaN, 2 ** 31])('names a label that is %d, and says what it may be', (value) => {
  expect(() => labelValue('memory', value)).toThrow(`the label memory is ${value}. Give a text, or a whole number`);
});
