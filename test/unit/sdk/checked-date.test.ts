import { expect, it } from 'vitest';
import { checkedDate } from '../../../sdk/checked-date.ts';

it('gives the date', () => {
  expect(checkedDate(new Date(7), 'since')).toEqual(new Date(7));
});

it('names what is no date, and says what to give', () => {
  expect(() => checkedDate(new Date('tomorrow'), 'triggerAt')).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: 'triggerAt is not a valid date. Give a Date, such as new Date(Date.now() + 60_000)',
    }),
  );
});
