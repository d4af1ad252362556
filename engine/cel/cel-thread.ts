import { parentPort } from 'node:worker_threads';
import type { CelResult } from './cel-result.ts';
import { compileCel } from './compile-cel.ts';

/** One request at a time; the main thread ends this one when it overruns. */
export interface ToThread {
  expression: string;
  /** What was sent before belongs to other data. */
  forget: boolean;
  /** JSON by name: of what the expression reads, what was not sent before. */
  texts: Readonly<Record<string, string>>;
}

/** `begins`: the data is read and the expression compiled, and its time runs. */
export type FromThread = 'ready' | 'begins' | CelResult;

/** Entry of the thread that evaluates the expressions whose time has no bound. */
let variables: Record<string, unknown> = {};

parentPort?.on('message', ({ expression, forget, texts }: ToThread) => {
  if (forget) variables = {};
  for (const [name, text] of Object.entries(texts)) variables[name] = JSON.parse(text);
  const compiled = compileCel(expression);
  post('begins');
  post(compiled.evaluate(variables));
});
post('ready');

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}
