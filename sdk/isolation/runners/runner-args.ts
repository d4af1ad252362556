/** Options of Node that are for the worker alone: a debugger's address, and programs given as text. With their value in the next argument. */
const withValue: ReadonlySet<string> = new Set([
  '-e',
  '--eval',
  '-p',
  '--print',
  '-pe',
  '--input-type',
  '--title',
  '--test-name-pattern',
]);
const own =
  /^(?:--inspect|--debug-port|--eval|--print|--input-type|--title|--test|--watch|--cpu-prof|--heap-prof|--prof\b|-i$|--interactive|-c$|--check)/;

/** Node's options of this process, as a runner of it takes them. */
export function runnerExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < execArgv.length; at += 1) {
    const option = execArgv[at] ?? '';
    if (withValue.has(option)) at += 1;
    else if (!own.test(option)) kept.push(option);
  }
  return kept;
}
