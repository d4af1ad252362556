import { newRun, rank, runAfter } from '../../cli/ui/model/runs/run-after-event.ts';
import { fitsQuery, type RunQuery } from '../../cli/monitor/run-query.ts';
import type { EventRow, RunRow } from '../../cli/monitor/run-reader.ts';

/** More than a person scrolls through; the oldest go first. */
const keptRuns = 10_000;
/** How many more may gather before the oldest are dropped, so that this is not done for each new run. */
const slack = 500;

/**
 * The runs that fit a filter, newest first, changed in place: a copy of ten thousand rows for each of hundreds of changes
 * a second would be most of what the page does. `version` tells that something has changed.
 */
export class RunTable {
  readonly #kept: number;
  readonly #query: RunQuery;
  readonly #runs = new Map<string, RunRow>();
  /** Ids by creation, oldest first: what is new goes to the end. */
  #order: string[] = [];
  /** Runs that may fit, or of which only events are known: a list tells the rest. */
  #wantsList = false;
  #version = 0;

  constructor(query: RunQuery, kept = keptRuns) {
    this.#query = query;
    this.#kept = kept;
  }

  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#order.length;
  }

  get isFull(): boolean {
    return this.#order.length >= this.#kept;
  }

  /** @param index from the newest */
  at(index: number): RunRow | undefined {
    const id = this.#order[this.#order.length - 1 - index];
    return id === undefined ? undefined : this.#runs.get(id);
  }

  get(id: string): RunRow | undefined {
    return this.#runs.get(id);
  }

  /** From the newest; -1 for a run that is not here. */
  indexOf(id: string): number {
    const run = this.#runs.get(id);
    if (run === undefined) return -1;
    const at = this.#place(creationOf(run));
    return this.#order[at] === id ? this.#order.length - 1 - at : -1;
  }

  ids(): string[] {
    return this.#order.toReversed();
  }

  /** Whether a list should be read, to fill in what events do not tell; asking takes the wish back. */
  takeWish(): boolean {
    const wanted = this.#wantsList;
    this.#wantsList = false;
    return wanted;
  }

  /** Rows of a list; what events already brought further stays. */
  merge(rows: readonly RunRow[]): void {
    for (const row of rows) {
      const known = this.#runs.get(row.runId);
      this.#put(
        known !== undefined && rank(known.status) > rank(row.status)
          ? {
              ...row,
              status: known.status,
              startedAt: known.startedAt ?? row.startedAt,
              finishedAt: known.finishedAt ?? row.finishedAt,
            }
          : row,
      );
    }
    this.#trim();
    this.#version++;
  }

  apply(events: readonly EventRow[]): void {
    for (const event of events) {
      const known = this.#runs.get(event.runId);
      if (known !== undefined) this.#put(runAfter(known, event));
      else this.#applyUnknown(event);
    }
    this.#trim();
    this.#version++;
  }

  #applyUnknown(event: EventRow): void {
    if (event.type === 'RUN_CREATED') {
      // Its metadata comes with the list: until then it fits no filter by metadata.
      this.#wantsList = true;
      this.#put(newRun(event));
      return;
    }
    // A run that was not shown since its status did not fit may fit now.
    if (this.#query.statuses.length > 0 && this.#query.statuses.includes(event.status)) this.#wantsList = true;
  }

  #put(run: RunRow): void {
    const isKnown = this.#runs.has(run.runId);
    if (!fitsQuery(this.#query, run)) {
      if (isKnown) this.#remove(run);
      return;
    }
    if (isKnown) {
      this.#runs.set(run.runId, run);
      return;
    }
    const at = this.#place(creationOf(run));
    if (at === 0 && this.#order.length >= this.#kept) return;
    this.#runs.set(run.runId, run);
    if (at === this.#order.length) this.#order.push(run.runId);
    else this.#order.splice(at, 0, run.runId);
  }

  #remove(run: RunRow): void {
    const known = this.#runs.get(run.runId) ?? run;
    const at = this.#place(creationOf(known));
    if (this.#order[at] === run.runId) this.#order.splice(at, 1);
    this.#runs.delete(run.runId);
  }

  /** Where a run of that creation stands, or would. */
  #place(creation: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs.get(this.#order[middle] ?? '');
      if (run !== undefined && creationOf(run) < creation) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(): void {
    if (this.#order.length <= this.#kept + slack) return;
    for (const id of this.#order.splice(0, this.#order.length - this.#kept)) this.#runs.delete(id);
  }
}

/** Ids are UUIDv7, which begin with their time: as text they sort by creation, and never change. */
function creationOf(run: RunRow): string {
  return run.runId;
}
