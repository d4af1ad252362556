/** The expressions that histories use, said in TypeScript: the model does not trust the CEL library with itself. */
const meanings: Record<string, (value: unknown) => boolean> = {
  '': () => true,
  'output.n > 5.0': (output) => isObject(output) && typeof output['n'] === 'number' && output['n'] > 5,
  'input.ok': (input) => isObject(input) && input['ok'] === true,
};

export function expressions(expression: string, json: string | null): boolean {
  const meaning = meanings[expression];
  if (meaning === undefined) throw new Error(`the model does not know the expression ${expression}`);
  return meaning(JSON.parse(json ?? 'null'));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
