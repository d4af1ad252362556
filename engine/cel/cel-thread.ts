import { Script } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { lowerPriorityOfThread } from '../base/lower-priority.ts';
import { ThreadTime } from '../base/thread-time.ts';
import type { CelResult } from './cel-result.ts';
import { compileCel } from './compile-cel.ts';
import { withinCpu } from './cpu-deadline.ts';

/** One request at a time; the main thread ends this one where it does not stop by itself. */
export interface ToThread {
  expression: string;
  /** JSON by name: of what the expression reads, what the thread does not hold. Null for what is not there now. */
  texts: Readonly<Record<string, string | null>>;
  /** That the evaluation may take of a core. */
  deadlineMs: number;
}

/** `begins`: the data is read and the expression compiled, and it has so long for this try. `overran`: it took longer than it may. */
export type FromThread = 'ready' | { begins: { wallMs: number } } | 'overran' | CelResult;

/** Entry of the thread that evaluates the expressions whose time has no bound. */
const variables: Record<string, unknown> = {};

let evaluate = (): CelResult => ({ ok: false, message: 'nothing was asked' });
// A script's time-out ends whatever it calls, and leaves the thread as it is: to start another takes 0.7 s of a core.
Object.defineProperty(globalThis, 'evaluateExpression', { value: () => evaluate() });
const script = new Script('evaluateExpression()');
const time = new ThreadTime();

parentPort?.on('message', ({ expression, texts, deadlineMs }: ToThread) => {
  for (const [name, text] of Object.entries(texts)) {
    if (text === null) delete variables[name];
    else variables[name] = JSON.parse(text);
  }
  const compiled = compileCel(expression);
  evaluate = () => compiled.evaluate(variables);
  post(
    withinCpu(
      deadlineMs,
      (wallMs) => {
        post({ begins: { wallMs } });
        return evaluateWithin(wallMs);
      },
      () => time.cpuMs,
    ),
  );
});
lowerPriorityOfThread();
warmUp();
post('ready');

/** Undefined for one that was stopped. */
function evaluateWithin(wallMs: number): CelResult | undefined {
  try {
    const result: CelResult = script.runInThisContext({ timeout: wallMs });
    return result;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

/** The first of its kind takes ten times as long as later ones: that is not charged to whoever comes first. */
function warmUp(): void {
  const input = { text: 'a'.repeat(2000), list: Array.from({ length: 500 }, (_, index) => ({ index })) };
  for (const expression of [
    'input.text.matches("^(a|b)+$") && size(input.text + input.text) > 0',
    'input.list.exists(x, x.index == -1.0) || input.list.map(x, x) == input.list',
  ]) {
    for (let time = 0; time < 10; time++) compileCel(expression).evaluate({ input });
  }
}

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}
