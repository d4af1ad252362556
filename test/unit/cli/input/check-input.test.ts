import { describe, expect, it } from 'vitest';
import { checkAgainstSchema, checkPayload } from '../../../../cli/input/check-input.ts';

const refused = (work: () => unknown): { message: string; exitCode: number } => {
  try {
    work();
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error)
      return { message: error.message, exitCode: Number(error.exitCode) };
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('checkPayload', () => {
  it('returns the value', () => {
    expect(checkPayload('{"message":"Hi"}', '--input')).toEqual({ message: 'Hi' });
  });

  it.each([
    ['{"a":', 'line 1, column 6'],
    ['"a\0b"', 'NUL'],
    [String.raw`{"a":["\u0000"]}`, 'NUL'],
    [String.raw`{"\u0000":1}`, 'NUL'],
    [JSON.stringify('x'.repeat(4 * 1024 * 1024)), '4 MiB'],
  ])('refuses %.20j', (text, words) => {
    const { message, exitCode } = refused(() => checkPayload(text, '--input'));
    expect(exitCode).toBe(2);
    expect(message).toContain(words);
  });
});

describe('checkAgainstSchema', () => {
  const schema = {
    type: 'object',
    properties: { message: { type: 'string' }, count: { type: 'integer', minimum: 1 } },
    required: ['message'],
    additionalProperties: false,
  };

  it('lets a fitting input pass, and anything without a schema', () => {
    checkAgainstSchema({ message: 'Hi', count: 2 }, { workflow: 'simple', schema });
    checkAgainstSchema('anything', { workflow: 'simple', schema: null });
  });

  it('names the field, for both drafts that SDKs send', () => {
    for (const draft of ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#']) {
      const { message, exitCode } = refused(() =>
        checkAgainstSchema({ message: 1, count: 0 }, { workflow: 'simple', schema: { ...schema, $schema: draft } }),
      );
      expect(exitCode).toBe(2);
      expect(message).toMatch(/message: .*string/);
      expect(message).toMatch(/count: /);
    }
    expect(refused(() => checkAgainstSchema({}, { workflow: 'simple', schema })).message).toContain('message');
  });
});
