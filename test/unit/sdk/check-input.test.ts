import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkInput } from '../../../sdk/run/check-input.ts';
import { inputJson } from '../../../sdk/run/trigger-request.ts';
import type { StandardSchema } from '../../../sdk/schema/standard-schema.ts';
import { validate } from '../../../sdk/schema/validate.ts';

const at = new Date(0);

/** What the caller says to an input, and what the worker says to what arrives of it. */
async function verdicts(schema: StandardSchema, input: unknown): Promise<{ caller: string; worker: string }> {
  const json = inputJson('a', input);
  const said = async (check: Promise<unknown>): Promise<string> =>
    await check.then(
      () => 'taken',
      (error: unknown) => String(error),
    );
  return {
    caller: await said(checkInput(schema, { input, json, what: 'the input of a' })),
    worker: await said(validate(schema, JSON.parse(json), 'INVALID_INPUT', 'the input of a')),
  };
}

describe('checkInput', () => {
  it('refuses at the caller what the worker would refuse, and says why', async () => {
    const { caller, worker } = await verdicts(z.object({ at: z.date() }), { at });
    expect(worker).toContain('the input of a does not match its schema: at: ');
    expect(caller).toContain('the input of a, as JSON carries it, does not match its schema: at: ');
    expect(caller).toContain('It fits before it travels: take what arrives, such as z.coerce.date()');
  });

  it('takes what the worker takes', async () => {
    expect(await verdicts(z.object({ at: z.coerce.date() }), { at })).toEqual({ caller: 'taken', worker: 'taken' });
    expect(await verdicts(z.object({ at: z.iso.datetime() }), { at })).toEqual({ caller: 'taken', worker: 'taken' });
    expect(await verdicts(z.object({ n: z.number().default(1) }), undefined)).toEqual({
      caller: 'taken',
      worker: 'taken',
    });
  });

  it('says no more where the value itself does not fit', async () => {
    const { caller, worker } = await verdicts(z.object({ n: z.number() }), { n: 'a' });
    expect(caller).toBe(worker);
  });

  it('never comes to a Map', () => {
    expect(() => inputJson('a', { found: new Map([['a', 1]]) })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('the input of a cannot be written as JSON: JSON cannot carry a Map ("found")'),
      }),
    );
  });
});
