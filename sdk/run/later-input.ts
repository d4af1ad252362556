import { HatchetError } from '../errors.ts';
import { checkInput } from './check-input.ts';
import { currentParentRun } from './parent-run.ts';
import type { RunTarget } from './run-target.ts';
import { inputJson } from './trigger-request.ts';

/**
 * The input of runs that start later, as it arrives there.
 * @throws SchemaError; HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE; inside a task that was cancelled, the reason
 */
export async function laterInput<Input>(
  { name, inputSchema }: Pick<RunTarget<Input, unknown>, 'name' | 'inputSchema'>,
  input: Input,
): Promise<object> {
  const parent = currentParentRun();
  // A durable task that has left its worker is told nothing any more, not even this.
  if (parent?.durable === undefined) parent?.signal.throwIfAborted();
  const json = inputJson(name, input);
  if (inputSchema !== undefined) await checkInput(inputSchema, { input, json, what: `the input of ${name}` });
  const arrives: unknown = JSON.parse(json);
  if (typeof arrives !== 'object' || arrives === null || Array.isArray(arrives))
    throw new HatchetError('INVALID_ARGUMENT', `the input of ${name} is not an object`, { remedy: 'Pass an object' });
  return arrives;
}
