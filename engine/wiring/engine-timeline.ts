import { setImmediate as turn } from 'node:timers/promises';
import type { EngineTime } from '../base/engine-options.ts';
import { EntryKind } from '../model/durable/durable.ts';
import { LiveState } from '../model/task/live-state.ts';
import type { DurableTask } from '../plan/durable/durable-index.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Owner } from '../shard/owner.ts';
import type { DueTimers } from '../shard/due-timers.ts';
import type { TaskRow } from '../plan/state/rows.ts';

/**
 * Quiet is counted in rounds of a timer, not by a clock: a machine that is busy delays the timers with everything else, and
 * each round lets what has arrived be read.
 */
const roundMs = 5;
/** A durable task that has just asked to wait may ask for more in the same breath, as Promise.all does. */
const roundsAfterAsking = 4;
/** One that was told of a result and still waits for another may go on, or may wait for that other. */
const roundsAfterTelling = 20;

/** What a running attempt showed last, and for how many rounds it has shown nothing since. */
interface Sighting {
  mark: string;
  told: number;
  rounds: number;
  limit: number;
}

/** Time as whoever moves the engine's clock needs it. Costs nothing until it is asked. */
export class EngineTimeline implements EngineTime {
  readonly #owner: Owner;
  readonly #dueTimers: DueTimers;
  readonly #waiting = new Set<() => void>();
  /** By attempt. One that was waited for in vain is not waited for again before it shows itself. */
  #sightings = new Map<string, Sighting>();

  constructor(options: { owner: Owner; dueTimers: DueTimers }) {
    this.#owner = options.owner;
    this.#dueTimers = options.dueTimers;
  }

  nextDueMs(): number {
    let first = Infinity;
    for (const state of this.#owner.states) first = Math.min(first, this.#owner.nextDueUs(state));
    return first / 1000;
  }

  moved(): void {
    this.#owner.wakeForTimers();
  }

  /** Called with every commit. */
  committedNow(): void {
    for (const wake of this.#waiting) wake();
  }

  async committed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }

  async settled({ patienceMs }: { patienceMs: number }): Promise<void> {
    for (;;) {
      await this.#idle();
      if (this.#isDue()) {
        this.#owner.wakeForTimers();
        await turn();
        continue;
      }
      if (!this.#lookAtAttempts(Math.ceil(patienceMs / roundMs))) return;
      const round = AbortSignal.timeout(roundMs);
      await this.committed(round);
      if (round.aborted) for (const sighting of this.#sightings.values()) sighting.rounds++;
    }
  }

  /** No command is under way, and no timer is being fired. */
  async #idle(): Promise<void> {
    await turn();
    await this.#owner.idle();
    await this.#dueTimers.idle();
    await this.#owner.idle();
  }

  #isDue(): boolean {
    const { nowUs } = this.#owner;
    return [...this.#owner.states].some((state) => this.#owner.nextDueUs(state) <= nowUs);
  }

  /** @returns whether any attempt may still go on by itself */
  #lookAtAttempts(patience: number): boolean {
    const seen = new Map<string, Sighting>();
    let busy = false;
    for (const state of this.#owner.states) {
      for (const worker of state.workersById.values()) {
        for (const row of worker.tasks) {
          if (state.tasks.state[row] !== LiveState.Running) continue;
          const key = `${state.tasks.id(row)}/${state.tasks.attempt[row]}/${state.tasks.invocation[row]}`;
          const sighting = sight(state, row, { patience, before: this.#sightings.get(key) });
          seen.set(key, sighting);
          busy ||= sighting.rounds < sighting.limit;
        }
      }
    }
    this.#sightings = seen;
    return busy;
  }
}

function sight(
  state: ShardState,
  row: TaskRow,
  { patience, before }: { patience: number; before: Sighting | undefined },
): Sighting {
  const task = state.durable.task(row);
  const told = task?.delivery.toldCount ?? 0;
  const memos = task?.log.nodes.filter((node) => node.kind === EntryKind.Memo && node.result !== null).length ?? 0;
  const mark = task === undefined ? '' : `${task.delivery.position} ${task.log.signals.size} ${memos} ${told}`;
  if (before?.mark === mark) return { ...before, limit: isWaiting(task) ? before.limit : patience };
  const limit = !isWaiting(task) ? patience : told > (before?.told ?? 0) ? roundsAfterTelling : roundsAfterAsking;
  return { mark, told, rounds: 0, limit: Math.min(limit, patience) };
}

/** It has asked for something that has not come about, and is not in the middle of a memo. */
function isWaiting(task: DurableTask | undefined): boolean {
  if (task === undefined || task.delivery.isLost) return false;
  const { log, delivery } = task;
  const open = log.nodes.filter((node) => delivery.hasAsked(node) && node.result === null);
  const signals = [...log.signals.values()].some((node) => node.result === null);
  return (open.length > 0 || signals) && open.every((node) => node.kind !== EntryKind.Memo);
}
