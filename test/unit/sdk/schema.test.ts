import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { inputJsonSchema } from '../../../sdk/schema/json-schema.ts';
import type { StandardSchema } from '../../../sdk/schema/standard-schema.ts';
import { validate } from '../../../sdk/schema/validate.ts';

const libraries: [string, StandardSchema][] = [
  ['zod', z.object({ message: z.string(), count: z.number().optional() })],
  ['valibot', v.object({ message: v.string(), count: v.optional(v.number()) })],
  ['arktype', type({ message: 'string', 'count?': 'number' })],
];

describe.each(libraries)('%s', (_name, schema) => {
  it('gives its JSON Schema', async () => {
    expect(await inputJsonSchema(schema)).toMatchObject({
      type: 'object',
      properties: { message: { type: 'string' }, count: { type: 'number' } },
      required: ['message'],
    });
  });

  it('accepts a value, and names what is wrong with another', async () => {
    await expect(validate(schema, { message: 'a' }, 'INVALID_INPUT', 'the input of x')).resolves.toEqual({
      message: 'a',
    });
    await expect(validate(schema, { message: 1 }, 'INVALID_INPUT', 'the input of x')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^the input of x does not match its schema: message: /),
      issues: [expect.anything()],
    });
  });
});

describe('inputJsonSchema', () => {
  it('describes what callers pass, not what the task gets', async () => {
    expect(
      await inputJsonSchema(z.object({ n: z.number().default(1), at: z.string().transform((text) => new Date(text)) })),
    ).toMatchObject({
      properties: { n: { type: 'number' }, at: { type: 'string' } },
      required: ['at'],
    });
  });

  it('is absent where a library cannot tell', async () => {
    const foreign: StandardSchema = {
      '~standard': { version: 1, vendor: 'unheard-of', validate: (value) => ({ value }) },
    };
    expect(await inputJsonSchema(foreign)).toBeUndefined();
    expect(await inputJsonSchema(z.object({ f: z.custom(() => true), d: z.date() }))).toBeUndefined();
  });
});

describe('validate', () => {
  const failing = (count: number): StandardSchema => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({
        issues: Array.from({ length: count }, (_, index) => ({
          message: `wrong ${index}`,
          path: ['list', { key: index }, 'field'],
        })),
      }),
    },
  });

  it('writes paths as code does', async () => {
    await expect(validate(failing(1), {}, 'INVALID_OUTPUT', 'the output')).rejects.toThrow(
      'the output does not match its schema: list[0].field: wrong 0',
    );
  });

  it('counts what it does not list', async () => {
    await expect(validate(failing(25), {}, 'INVALID_OUTPUT', 'the output')).rejects.toThrow(/wrong 9; and 15 more$/);
  });

  it('waits for schemas that take their time, and gives what they made', async () => {
    const slow = z.object({ n: z.string().transform(async (text) => Number(text)) });
    await expect(validate(slow, { n: '7' }, 'INVALID_INPUT', 'the input')).resolves.toEqual({ n: 7 });
  });
});
