import { fieldOf, isList } from '../../failure/safe-reads.ts';
import { fromWireError } from '../messages/wire-error.ts';
import type { RunnerPort } from './runner-port.ts';

interface Open {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** In a runner: calls of its worker that are under way, for one attempt. */
export class Calls {
  readonly #port: RunnerPort;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(port: RunnerPort) {
    this.#port = port;
  }

  /** @throws what the worker's call threw */
  async make(name: string, given: unknown): Promise<unknown> {
    const call = ++this.#last;
    return await new Promise((resolve, reject) => {
      this.#open.set(call, { resolve, reject });
      this.#port.send(JSON.stringify({ type: 'call', call, name, given }));
    });
  }

  /** @param message an answer, from the worker */
  answer(message: unknown): void {
    const call = fieldOf(message, 'call');
    const open = typeof call === 'number' ? this.#open.get(call) : undefined;
    if (open === undefined || typeof call !== 'number') return;
    this.#open.delete(call);
    const error = fieldOf(message, 'error');
    if (error === undefined) open.resolve(fieldOf(message, 'value'));
    else open.reject(fromWireError(error));
  }

  /** Nothing is answered any more. */
  end(reason: Error): void {
    for (const open of this.#open.values()) open.reject(reason);
    this.#open.clear();
  }
}

export function listOf(value: unknown): readonly unknown[] {
  return isList(value) ? value : [];
}
