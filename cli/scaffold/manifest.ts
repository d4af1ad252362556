import { wrongUse } from '../cli-error.ts';
import { findJsonError } from '../input/find-json-error.ts';
import { isRecord } from '../project/json-value.ts';

const dependencyParts = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'] as const;

/** A package.json as far as it concerns a scaffold. */
export interface Manifest {
  isModule: boolean;
  scripts: Readonly<Record<string, string>>;
  /** What it asks for by name, in whichever part. */
  packages: Readonly<Record<string, string>>;
}

const byteOrderMark = '\uFEFF';

/** @throws CliError with exit code 2 that names the line */
export function parseManifest(text: string, path: string): Manifest {
  const json = text.startsWith(byteOrderMark) ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const found = findJsonError(json);
    const where = found === undefined ? String(cause) : `line ${found.line}, column ${found.column}: ${found.message}`;
    throw wrongUse(
      `${path} is not valid JSON: ${where}`,
      'Correct it, then run `hatchet init` again. Nothing was changed.',
    );
  }
  if (!isRecord(value))
    throw wrongUse(`${path} is not a JSON object`, 'Correct it, then run `hatchet init` again. Nothing was changed.');
  const part = (name: string): Record<string, string> => {
    const found = value[name];
    if (found === undefined) return {};
    if (!isRecord(found))
      throw wrongUse(
        `${name} in ${path} is no object`,
        'Correct it, then run `hatchet init` again. Nothing was changed.',
      );
    return Object.fromEntries(Object.entries(found).map(([key, each]) => [key, String(each)]));
  };
  const packages = Object.fromEntries(dependencyParts.toReversed().flatMap((name) => Object.entries(part(name))));
  return { isModule: value['type'] === 'module', scripts: part('scripts'), packages };
}
