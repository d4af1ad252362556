import { Outbox } from './outbox.ts';
import { frameOf, type LinkCommand, type LinkFrame } from './link-command.ts';

/** What the engine takes before it has done what it was sent, as its welcome says. */
export interface FrameBounds {
  readonly mostCommands: number;
  readonly mostBytes: number;
}

/** Frames that were sent, or are to be sent again, until the engine has done them. */
export class FramesUnderWay {
  readonly #outbox = new Outbox<LinkFrame>();
  /** What they cost. */
  #cost = 0;

  get size(): number {
    return this.#outbox.size;
  }

  [Symbol.iterator](): IterableIterator<LinkFrame> {
    return this.#outbox[Symbol.iterator]();
  }

  add(commands: LinkCommand[]): LinkFrame {
    const weight = commands.reduce((sum, each) => sum + each.weight, 0);
    const frame = this.#outbox.add(weight, (number) => frameOf(number, commands));
    this.#cost += frame.cost;
    return frame;
  }

  find(number: bigint): LinkFrame | undefined {
    return this.#outbox.find(Number(number));
  }

  /** The engine has it for good, or it is given up. */
  drop(number: bigint): LinkFrame | undefined {
    const frame = this.#outbox.drop(Number(number));
    if (frame !== undefined) this.#cost -= frame.cost;
    return frame;
  }

  isFull({ mostCommands, mostBytes }: FrameBounds): boolean {
    return this.#cost >= mostCommands || this.#outbox.weight >= mostBytes;
  }

  /** Chunks and lines may take half of what may be under way: a store of theirs that is slow leaves the other half to tasks. */
  hasRoomApart({ mostCommands, mostBytes }: FrameBounds): boolean {
    let bytes = 0;
    let commands = 0;
    for (const frame of this.#outbox) {
      if (!frame.isApart) continue;
      commands += frame.cost;
      bytes += frame.weight;
    }
    return commands < mostCommands / 2 && bytes < mostBytes / 2;
  }
}
