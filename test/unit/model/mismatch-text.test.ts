import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mismatchMessage, parseMismatch } from '../../../engine/model/durable/mismatch-text.ts';

describe('the message of a mismatch', () => {
  it('is found again, whatever an SDK puts around it', () => {
    const words = fc
      .string({ minLength: 1 })
      .filter((text) => !text.includes(', and the code asks for ') && !text.includes(': it took another way'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), words, words, words, (node, recorded, asked, around) => {
        const mismatch = { node, recorded, asked };
        expect(parseMismatch(`NonDeterminismError: ${mismatchMessage(mismatch)}\n${around}`)).toEqual(mismatch);
      }),
    );
  });

  it('is no other message', () => {
    expect(parseMismatch('node 3 of the log holds nothing')).toBeUndefined();
  });
});
