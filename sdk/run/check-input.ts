import { SchemaError, validate } from '../schema/validate.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';

/**
 * Checks an input as its worker will: what JSON makes of it, not the value that the caller has. A `Date` is a text there.
 * @throws SchemaError; whatever the schema throws
 */
export async function checkInput(
  schema: StandardSchema,
  { input, json, what }: { input: unknown; json: string; what: string },
): Promise<void> {
  const arrives: unknown = JSON.parse(json);
  try {
    await validate(schema, arrives, 'INVALID_INPUT', what);
  } catch (error) {
    if (!(error instanceof SchemaError) || !(await takes(schema, input))) throw error;
    throw new SchemaError(
      'INVALID_INPUT',
      `${what}, as JSON carries it,`,
      error.issues,
      'It fits before it travels: take what arrives, such as z.coerce.date() or z.iso.datetime() for a Date, which is a text on its way',
    );
  }
}

async function takes(schema: StandardSchema, value: unknown): Promise<boolean> {
  try {
    return (await schema['~standard'].validate(value)).issues === undefined;
  } catch {
    return false;
  }
}
