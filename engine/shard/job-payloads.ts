import type { StagedIds } from '../commit/staged-payloads.ts';
import { kindOf, type Command } from '../plan/commands/command.ts';

/** A text this long is staged; in a command that brings more than a transaction takes, one of the shorter length. */
const longText = 128 * 1024;
const longTextOfLarge = 8 * 1024;
/** Characters that one transaction reads from its parameters: Postgres needs about 25 ms to store a million. */
export const transactionChars = 1024 * 1024;
/** What is staged is copied as it is stored. */
const copyShare = 1 / 4;

const none: StagedIds = new Map();
const nothing: readonly string[] = [];

/** The long texts of a command, and where they are stored until its transaction takes them. */
export class JobPayloads {
  /** Characters. */
  readonly size: number;
  /** To be staged before it is planned. */
  #unstaged: readonly string[];
  #staged = none;

  constructor(command: Command) {
    let size = 0;
    kindOf(command).payloads(command, (text) => {
      size += text.length;
    });
    this.size = size;
    const long = size > transactionChars ? longTextOfLarge : longText;
    this.#unstaged = size < long ? nothing : longTexts(command, long);
  }

  get unstaged(): readonly string[] {
    return this.#unstaged;
  }

  get staged(): StagedIds {
    return this.#staged;
  }

  /** Those that could not be staged go with the transaction. */
  setStaged(staged: StagedIds): void {
    this.#unstaged = nothing;
    this.#staged = staged;
  }

  /** Postgres has lost what it was given: all texts go with the transaction. */
  unstage(): void {
    this.setStaged(none);
  }

  /** What it costs its transaction, in characters; nothing before it is staged, since it leaves the transaction for it. */
  get weight(): number {
    if (this.#unstaged.length > 0) return 0;
    if (this.#staged.size === 0) return this.size;
    let copied = 0;
    for (const text of this.#staged.keys()) copied += text.length;
    return Math.max(0, this.size - copied) + copied * copyShare;
  }
}

/** Where the long texts of a transaction are stored. */
export function stagedOf(jobs: readonly { payloads: JobPayloads }[]): StagedIds {
  const some = jobs.filter(({ payloads }) => payloads.staged.size > 0);
  return some.length === 0 ? none : new Map(some.flatMap(({ payloads }) => [...payloads.staged]));
}

/** Each once, however many runs it is for. */
function longTexts(command: Command, long: number): string[] {
  const texts = new Set<string>();
  kindOf(command).payloads(command, (text) => {
    if (text.length >= long) texts.add(text);
  });
  return [...texts];
}
