import { writeSync } from 'node:fs';

/** Of a process that the CLI has started: the pipe by which it hears what was loaded, a path a line. */
const reportDescriptor = 5;

/** Tells the CLI which files a worker has loaded, each once, many at a time. */
export class LoadReport {
  readonly #told = new Set<string>();
  #lines: string[] = [];
  #flush: NodeJS.Immediate | undefined;

  add(file: string): void {
    if (this.#told.has(file)) return;
    this.#told.add(file);
    this.#lines.push(file);
    this.#flush ??= setImmediate(() => this.flush());
  }

  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    const text = this.#lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#lines = [];
    try {
      if (text !== '') writeSync(reportDescriptor, text);
    } catch {
      // The CLI is gone: nobody watches.
    }
  }
}
