import { CliError } from '../cli-error.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { ExitCode } from '../exit-codes.ts';
import { ServerError } from '../output/server-error.ts';
import type { RunReader, WorkflowDetail } from './run-reader.ts';

/** A workflow's name as the engine knows it. */
export function nameInNamespace({ namespace }: Connection, name: string): string {
  return namespace === undefined || namespace === '' || name.startsWith(namespace) ? name : namespace + name;
}

/** @throws CliError with exit code 4 for an unknown workflow, with those that are known */
export async function knownWorkflow(reader: RunReader, name: string): Promise<WorkflowDetail> {
  try {
    return await reader.getWorkflow(name);
  } catch (error) {
    if (error instanceof ServerError && error.exitCode === ExitCode.unknown)
      throw await unknownWorkflow(reader, name, error);
    throw error;
  }
}

async function unknownWorkflow(reader: RunReader, name: string, cause: unknown): Promise<CliError> {
  const known = (await reader.listWorkflows().catch(() => []))
    .map((row) => row.name)
    .sort((one, other) => sharedStart(other, name) - sharedStart(one, name));
  const remedy =
    known.length === 0
      ? 'None is registered yet: start a worker, for instance with `hatchet dev`.'
      : `Registered are ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}.`;
  return new CliError(`there is no workflow ${JSON.stringify(name)}`, { exitCode: ExitCode.unknown, remedy, cause });
}

/** Letters that two names begin with: the names that were meant come first. */
function sharedStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
