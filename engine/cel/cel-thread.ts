import { parentPort } from 'node:worker_threads';
import type { CelResult } from './cel-result.ts';
import { compileCel } from './compile-cel.ts';

/** One request at a time; the main thread ends this one when it overruns. */
export interface ToThread {
  expression: string;
  /** JSON by name: of what the expression reads, what the thread does not hold. Null for what is not there now. */
  texts: Readonly<Record<string, string | null>>;
}

/** `begins`: the data is read and the expression compiled, and its time runs. */
export type FromThread = 'ready' | 'begins' | CelResult;

/** Entry of the thread that evaluates the expressions whose time has no bound. */
const variables: Record<string, unknown> = {};

parentPort?.on('message', ({ expression, texts }: ToThread) => {
  for (const [name, text] of Object.entries(texts)) {
    if (text === null) delete variables[name];
    else variables[name] = JSON.parse(text);
  }
  const compiled = compileCel(expression);
  post('begins');
  post(compiled.evaluate(variables));
});
warmUp();
post('ready');

/** The first of its kind takes ten times as long as later ones: that is not charged to whoever comes first. */
function warmUp(): void {
  const input = { text: 'a'.repeat(2000), list: Array.from({ length: 500 }, (_, index) => ({ index })) };
  for (const expression of ['input.text.matches("^(a|b)+$") && size(input.text + input.text) > 0', 'input.list.exists(x, x.index == -1.0) || input.list.map(x, x) == input.list']) {
    for (let time = 0; time < 10; time++) compileCel(expression).evaluate({ input });
  }
}

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}
