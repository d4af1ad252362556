import { EntryKind } from '../model/durable/durable.ts';
import { LiveState } from '../model/task/live-state.ts';
import type { DurableTask } from '../plan/durable/durable-index.ts';
import type { TaskRow } from '../plan/state/table/rows.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Owner } from '../shard/owner.ts';

/**
 * Quiet is counted in rounds of a timer, not by a clock: a machine that is busy delays the timers with everything else, and
 * each round lets what has arrived be read.
 */
export const roundMs = 5;
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

/** Which running attempts are quiet: have shown nothing for so many rounds that they wait for time or another event. */
export class QuietAttempts {
  readonly #owner: Pick<Owner, 'states'>;
  /** By attempt. One that was waited for in vain is not waited for again before it shows itself. */
  #sightings = new Map<string, Sighting>();

  constructor(owner: Pick<Owner, 'states'>) {
    this.#owner = owner;
  }

  /** Nothing was committed in it. */
  roundPassed(): void {
    for (const sighting of this.#sightings.values()) sighting.rounds++;
  }

  /** Looks at all running attempts. @returns whether any may still go on by itself */
  mayAnyGoOn(patienceMs: number): boolean {
    const patience = Math.ceil(patienceMs / roundMs);
    const seen = new Map<string, Sighting>();
    let busy = false;
    for (const state of this.#owner.states) {
      for (const worker of state.workersById.values()) {
        for (const row of worker.tasks) {
          if (state.tasks.state[row] !== LiveState.Running) continue;
          const key = `${state.tasks.id(row)}/${state.tasks.attempt[row]}/${state.tasks.invocation[row]}`;
          const sighting = sightingOf(state, row, { patience, before: this.#sightings.get(key) });
          seen.set(key, sighting);
          busy ||= sighting.rounds < sighting.limit;
        }
      }
    }
    this.#sightings = seen;
    return busy;
  }
}

function sightingOf(
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
