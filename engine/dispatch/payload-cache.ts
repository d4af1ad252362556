/** Characters kept; the rest is read from Postgres when it is needed. */
const limit = 32 * 1024 * 1024;

export interface RunPayload {
  /** JSON. */
  input: string;
  /** JSON object. */
  metadata: string;
  /** JSON object, for a run that an event started through a filter. */
  filterPayload: string | null;
  /** Of a run that a task has spawned. */
  parentTaskId: string | null;
  childIndex: number | null;
  childKey: string | null;
}

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
    this.#size += payload.input.length + payload.metadata.length;
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
    this.#size += output.length;
    this.#trim();
  }

  forgetRun(runId: string): void {
    const payload = this.#runs.get(runId);
    if (payload === undefined) return;
    this.#runs.delete(runId);
    this.#size -= payload.input.length + payload.metadata.length;
  }

  forgetOutput(taskId: string): void {
    const output = this.#outputs.get(taskId);
    if (output === undefined) return;
    this.#outputs.delete(taskId);
    this.#size -= output.length;
  }

  #trim(): void {
    while (this.#size > limit) {
      const [run] = this.#runs.keys();
      const [output] = this.#outputs.keys();
      if (run !== undefined) this.forgetRun(run);
      if (output !== undefined) this.forgetOutput(output);
      if (run === undefined && output === undefined) return;
    }
  }
}
