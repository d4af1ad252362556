import type { CliContext } from '../cli-context.ts';
import { plainText } from './plain-text.ts';

/** A terminal's line is drawn this often at most; elsewhere a line of its own is written this often. */
const drawMs = 100;
const lineMs = 10_000;

/** How far long work has come, on stderr: one line that is drawn anew in a terminal, and a line now and then elsewhere. */
export class Progress {
  readonly #stderr: NodeJS.WriteStream;
  readonly #draws: boolean;
  #saidAt: number;
  #isDrawn = false;

  constructor({ stderr, env }: Pick<CliContext, 'stderr' | 'env'>) {
    this.#stderr = stderr;
    this.#draws = stderr.isTTY && env['TERM'] !== 'dumb';
    // Work that is done at once is not spoken of.
    this.#saidAt = performance.now();
  }

  say(text: () => string): void {
    const now = performance.now();
    if (now - this.#saidAt < (this.#draws ? drawMs : lineMs)) return;
    this.#saidAt = now;
    this.#stderr.write(this.#draws ? `\r\u001B[2K${plainText(text())}` : `${plainText(text())}\n`);
    this.#isDrawn = this.#draws;
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isDrawn) this.#stderr.write('\r\u001B[2K');
    this.#isDrawn = false;
  }
}
