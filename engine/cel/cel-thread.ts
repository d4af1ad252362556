import { parentPort } from 'node:worker_threads';
import { compileCel } from './compile-cel.ts';

/** Entry of the thread that evaluates expressions which loop. One request at a time; the main thread ends it when it overruns. */
interface Request {
  expression: string;
  variables: Record<string, unknown>;
}

parentPort?.on('message', ({ expression, variables }: Request) => {
  parentPort?.postMessage(compileCel(expression).evaluate(variables));
});
parentPort?.postMessage('ready');
