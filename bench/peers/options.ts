/** The options that all benchmarks of this folder take. */
/** For `parseArgs`. `node` is for `findNode`. */
export const sharedOptions = {
  rounds: { type: 'string' },
  only: { type: 'string' },
  node: { type: 'string' },
  quick: { type: 'boolean', default: false },
} as const;

interface Given {
  rounds?: string | undefined;
  only?: string | undefined;
  quick: boolean;
}

interface Shared<Name extends string> {
  quick: boolean;
  rounds: number;
  /** What `--only` names, in the order of all; all without it. */
  wanted: readonly Name[];
  /** Nothing is left out, and nothing is small. */
  isWhole: boolean;
}

/**
 * @param given as `parseArgs` read them
 * @param names what `--only` may choose from
 * @throws Error
 */
export function readShared<Name extends string>(given: Given, names: readonly Name[]): Shared<Name> {
  const { quick, rounds, only } = given;
  const wanted = only?.split(',');
  for (const name of wanted ?? [])
    if (!names.some((known) => known === name)) throw new Error(`--only knows ${names.join(', ')}, not ${name}`);
  return {
    quick,
    rounds: rounds === undefined ? (quick ? 1 : 3) : parseCount('rounds', rounds),
    wanted: names.filter((name) => wanted === undefined || wanted.includes(name)),
    isWhole: !quick && only === undefined,
  };
}

/** @throws Error for what is no whole number from 1 */
export function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${option} is a number from 1, not ${text}`);
  return count;
}
