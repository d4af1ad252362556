import type { RunPayload } from '../model/payload/run-payload.ts';

/** Bytes kept, more or less; the rest is read from Postgres when it is needed. */
const limit = 64 * 1024 * 1024;
const trimmed = limit * 0.75;
/** Of an entry beside its texts, its id above all: counted by texts alone, five million small outputs filled the heap. */
const entryBytes = 500;

/**
 * Inputs and outputs that a dispatch will probably need soon, oldest out first. Only a shortcut:
 * everything here has been committed and can be read again.
 */
export class PayloadCache {
  readonly #runs = new Map<string, RunPayload>();
  readonly #outputs = new Map<string, string>();
  #size = 0;

  run(runId: string): RunPayload | undefined {
    return this.#runs.get(runId);
  }

  output(taskId: string): string | undefined {
    return this.#outputs.get(taskId);
  }

  putRun(runId: string, payload: RunPayload): void {
    if (this.#runs.has(runId)) return;
    this.#runs.set(runId, payload);
    this.#size += runSize(payload);
    this.#trim();
  }

  /** What a task has just given: after a replay in place of what it gave before. */
  putOutput(taskId: string, output: string): void {
    this.forgetOutput(taskId);
    this.fillOutput(taskId, output);
  }

  /** What was read: it may be older than what is here. */
  fillOutput(taskId: string, output: string): void {
    if (this.#outputs.has(taskId)) return;
    this.#outputs.set(taskId, output);
    this.#size += output.length + entryBytes;
    this.#trim();
  }

  forgetRun(runId: string): void {
    const payload = this.#runs.get(runId);
    if (payload === undefined) return;
    this.#runs.delete(runId);
    this.#size -= runSize(payload);
  }

  forgetOutput(taskId: string): void {
    const output = this.#outputs.get(taskId);
    if (output === undefined) return;
    this.#outputs.delete(taskId);
    this.#size -= output.length + entryBytes;
  }

  /** Many at once: a map whose first entry is taken out again and again passes over all that were there before it. */
  #trim(): void {
    if (this.#size <= limit) return;
    const runs = this.#runs.keys();
    const outputs = this.#outputs.keys();
    while (this.#size > trimmed) {
      const run = runs.next();
      const output = outputs.next();
      if (run.done !== true) this.forgetRun(run.value);
      if (output.done !== true) this.forgetOutput(output.value);
      if (run.done === true && output.done === true) return;
    }
  }
}

function runSize({ input, metadata, filterPayload }: RunPayload): number {
  return input.length + metadata.length + (filterPayload?.length ?? 0) + entryBytes;
}
