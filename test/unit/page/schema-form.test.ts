import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { schemaProblems } from '../../../cli/input/schema-problems.ts';
import { formOf, type Field } from '../../../page/model/schema-form.ts';

const kinds = (fields: readonly Field[]): Record<string, string> =>
  Object.fromEntries(
    fields.map((field) => [
      field.name,
      `${field.kind}${field.isRequired ? '' : '?'}${field.isNullable ? '|null' : ''}`,
    ]),
  );

describe('formOf', () => {
  it('makes a field of each kind that zod writes', () => {
    const schema = z.object({
      name: z.string(),
      age: z.int().optional(),
      share: z.number().nullable(),
      ok: z.boolean().default(true),
      color: z.enum(['red', 'green']),
      tags: z.array(z.string()),
      address: z.object({ city: z.string(), zip: z.string().nullish() }),
      any: z.union([z.object({ a: z.string() }), z.object({ b: z.number() })]),
      fixed: z.literal(7),
    });
    const form = formOf(z.toJSONSchema(schema, { io: 'input' }));
    expect(kinds(form?.fields ?? [])).toEqual({
      name: 'text',
      age: 'number?',
      share: 'number|null',
      ok: 'boolean?',
      color: 'choice',
      tags: 'list',
      address: 'object',
      any: 'json',
      fixed: 'choice',
    });
    const address = form?.fields.find(({ name }) => name === 'address');
    expect(address?.kind === 'object' ? kinds(address.fields) : {}).toEqual({ city: 'text', zip: 'text?|null' });
    expect(form?.fields.find(({ name }) => name === 'ok')?.initial).toBe(true);
  });

  it('follows references, and stops at a schema that holds itself', () => {
    const form = formOf({
      type: 'object',
      properties: { node: { $ref: '#/$defs/node' }, to: { $ref: 'https://elsewhere/x' } },
      $defs: { node: { type: 'object', properties: { label: { type: 'string' }, next: { $ref: '#/$defs/node' } } } },
    });
    let field = form?.fields[0];
    let depth = 0;
    while (field?.kind === 'object') {
      field = field.fields[1];
      depth++;
    }
    expect(field?.kind).toBe('json');
    expect(depth).toBeLessThan(10);
    expect(form?.fields[1]?.kind).toBe('json');
  });

  it('has no form for what is no object', () => {
    for (const schema of [
      null,
      undefined,
      {},
      true,
      { type: 'string' },
      { type: 'object' },
      { type: 'array', items: {} },
    ])
      expect(formOf(schema)).toBeUndefined();
  });
});

describe('schemaProblems', () => {
  it('names the field', () => {
    const schema = z.toJSONSchema(z.object({ address: z.object({ city: z.string() }), n: z.int() }));
    const problems = schemaProblems({ address: { city: 1 }, n: 'x' }, schema);
    expect(problems.map(({ path }) => path.join('.')).sort()).toEqual(['address.city', 'n']);
    expect(schemaProblems({ address: { city: 'a' }, n: 1 }, schema)).toEqual([]);
    expect(schemaProblems('anything', null)).toEqual([]);
    expect(schemaProblems({ address: { city: 'a', street: 'b' }, n: 1 }, schema)).toEqual([
      { path: ['address', 'street'], text: 'The schema has no such field.' },
    ]);
    expect(schemaProblems({ address: { city: 'a' } }, schema).map(({ text }) => text)).toEqual([
      'Instance does not have required property "n".',
    ]);
  });
});
