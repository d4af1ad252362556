import { InvalidArgumentError } from 'commander';

/** `limit=number`, again and again. Whether there is such a limit is for the engine's code to say. */
export function limitValue(text: string, before: Record<string, number> | undefined): Record<string, number> {
  const [, name, value] = /^([^=]+)=(\d+(?:\.\d+)?(?:e\d+)?)$/i.exec(text) ?? [];
  if (name === undefined || !Number.isFinite(Number(value)))
    throw new InvalidArgumentError('Give it as limit=number, the number from 0 on.');
  return { ...before, [name]: Number(value) };
}
