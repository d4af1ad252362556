import type { StagedIds } from '../commit/staged-payloads.ts';
import type { Command } from '../plan/commands/command.ts';

/** A text this long is staged; in a command that brings more than a batch takes, one of the shorter length. */
const longText = 128 * 1024;
const longTextOfLarge = 8 * 1024;
/** Characters that one transaction reads from its parameters: Postgres needs about 25 ms to store a million. */
export const batchChars = 1024 * 1024;
/** What is staged is copied as it is stored. */
const copyShare = 1 / 4;

const none: StagedIds = new Map();
const nothing: readonly string[] = [];

/** The long texts of a command, and where they are stored until its batch takes them. */
export class JobPayloads {
  /** Characters. */
  readonly size: number;
  /** To be staged before it is planned. */
  #unstaged: readonly string[];
  #staged = none;

  constructor(command: Command) {
    let size = 0;
    eachPayload(command, (text) => {
      size += text.length;
    });
    this.size = size;
    const long = size > batchChars ? longTextOfLarge : longText;
    this.#unstaged = size < long ? nothing : longTexts(command, long);
  }

  get unstaged(): readonly string[] {
    return this.#unstaged;
  }

  get staged(): StagedIds {
    return this.#staged;
  }

  /** Those that could not be staged go with the batch. */
  setStaged(staged: StagedIds): void {
    this.#unstaged = nothing;
    this.#staged = staged;
  }

  /** Postgres has lost what it was given: all texts go with the batch. */
  unstage(): void {
    this.setStaged(none);
  }

  /** What it costs its batch, in characters; nothing before it is staged, since it leaves the batch for it. */
  get weight(): number {
    if (this.#unstaged.length > 0) return 0;
    if (this.#staged.size === 0) return this.size;
    let copied = 0;
    for (const text of this.#staged.keys()) copied += text.length;
    return Math.max(0, this.size - copied) + copied * copyShare;
  }
}

/** Where the long texts of a batch are stored. */
export function stagedOf(jobs: readonly { payloads: JobPayloads }[]): StagedIds {
  const some = jobs.filter(({ payloads }) => payloads.staged.size > 0);
  return some.length === 0 ? none : new Map(some.flatMap(({ payloads }) => [...payloads.staged]));
}

/** Each once, however many runs it is for. */
function longTexts(command: Command, long: number): string[] {
  const texts = new Set<string>();
  eachPayload(command, (text) => {
    if (text.length >= long) texts.add(text);
  });
  return [...texts];
}

/** The texts of a command that a caller may make as long as a payload may be. */
function eachPayload(command: Command, visit: (text: string) => void): void {
  const run = ({
    input,
    metadata,
    filterPayload,
  }: {
    input: string;
    metadata: string;
    filterPayload: string | null;
  }): void => {
    visit(input);
    visit(metadata);
    if (filterPayload !== null) visit(filterPayload);
  };
  switch (command.kind) {
    case 'trigger':
      return command.runs.forEach(run);
    case 'fireTimer':
      if (command.run !== null) run(command.run);
      return;
    case 'pushEvent':
      for (const event of command.events) {
        visit(event.payload);
        visit(event.metadata);
        for (const started of event.runs) run(started.run);
      }
      return;
    case 'putSchedules':
      for (const { input, metadata } of command.schedules) {
        visit(input);
        visit(metadata);
      }
      return;
    case 'putCron':
      visit(command.cron.input);
      return visit(command.cron.metadata);
    case 'putWorkflow':
      for (const { input, metadata } of command.crons) {
        visit(input);
        visit(metadata);
      }
      return;
    case 'completed':
      return visit(command.output);
    case 'failed':
      return visit(command.error);
    case 'batchReport':
      for (const item of command.items) {
        if (item.event === 'completed') visit(item.output);
        else if (item.event === 'failed') visit(item.error);
      }
      return;
    case 'durableMemo':
      return visit(command.payload);
    case 'durableAsk':
      if (command.ask.kind === 'children') for (const child of command.ask.children) run(child.run);
      else if (command.ask.kind === 'memo' && command.ask.payload !== null) visit(command.ask.payload);
      return;
    default:
  }
}
