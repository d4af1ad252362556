import { mostInFrame, type LinkCommand } from './link-command.ts';

/** A frame's bytes: what is more goes with the next ones. */
const frameBytes = 1024 * 1024;

/**
 * Commands that have not left yet. Chunks and lines, which the engine stores apart from tasks, are in frames of their own: a frame
 * is acknowledged as a whole, and what is said of tasks waits for no store but theirs.
 */
export class LinkQueue {
  /** Each entry fills a frame: places in the frame are places among the lines of the entry. */
  readonly #lines: LinkCommand[] = [];
  readonly #chunks: LinkCommand[] = [];
  readonly #ofTasks: LinkCommand[] = [];

  get size(): number {
    return this.#lines.length + this.#chunks.length + this.#ofTasks.length;
  }

  push(command: LinkCommand): void {
    this.#of(command).push(command);
  }

  /** The next frame's. Lines and chunks leave first: what is said of their task in the same turn comes after them. */
  next(mayStoreApart: boolean): LinkCommand[] {
    if (mayStoreApart && this.#lines.length > 0) return this.#lines.splice(0, 1);
    if (mayStoreApart && this.#chunks.length > 0) return takeFrame(this.#chunks);
    return takeFrame(this.#ofTasks);
  }

  remove(command: LinkCommand): void {
    const queue = this.#of(command);
    const at = queue.indexOf(command);
    if (at >= 0) queue.splice(at, 1);
  }

  /** Takes those out to which it applies. */
  take(applies: (command: LinkCommand) => boolean): LinkCommand[] {
    return [this.#lines, this.#chunks, this.#ofTasks].flatMap((queue) => {
      const taken = queue.filter(applies);
      if (taken.length > 0) queue.splice(0, queue.length, ...queue.filter((command) => !applies(command)));
      return taken;
    });
  }

  #of({ facts: { kind } }: LinkCommand): LinkCommand[] {
    return kind === 'lines' ? this.#lines : kind === 'chunk' ? this.#chunks : this.#ofTasks;
  }
}

function takeFrame(queue: LinkCommand[]): LinkCommand[] {
  let weight = 0;
  let count = 0;
  for (const command of queue) {
    if (count === mostInFrame || (count > 0 && weight + command.weight > frameBytes)) break;
    weight += command.weight;
    count++;
  }
  return queue.splice(0, count);
}
