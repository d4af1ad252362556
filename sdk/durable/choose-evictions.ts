/** A task stays for so long, however short slots are: most children and events are there by then. */
const shortestWaitMs = 100;

/** Of those that only a long sleep can wake. Not 0: the result of a sleep that is over comes right behind its answer. */
export const shortestSleepMs = 20;

/** An invocation that waits. Times are milliseconds of one clock. */
export interface WaitingInvocation {
  startedAt: number;
  waitingSince: number;
  /** Undefined where waiting alone is no reason to leave. */
  ttlMs: number | undefined;
  /** After which the engine ends the attempt, waiting or not. */
  executionTimeoutMs: number;
  priority: number;
  /** Whether it leaves for tasks that need its slot. */
  yields: boolean;
  /** Whether it waits for nothing but long sleeps. */
  isAsleep: boolean;
  /** Whether it has not got further than it was when it last left for its timeout. */
  replays: boolean;
}

export type EvictionCause = 'ttl' | 'timeout' | 'capacity' | 'stop';

export interface Eviction<Waiting> {
  who: Waiting;
  cause: EvictionCause;
}

/**
 * Who leaves now: those that waited long enough or would soon be timed out while they wait, and, where every slot is
 * taken, as many as make half of the slots free (one at each review would be ten a second, however many sleep).
 * @param facts running: all invocations, those that wait among them
 */
export function chooseEvictions<Waiting extends WaitingInvocation>(
  waiting: readonly Waiting[],
  facts: { now: number; running: number; slots: number; stopping: boolean },
): Eviction<Waiting>[] {
  const { now, slots } = facts;
  if (facts.stopping) return waiting.map((who) => ({ who, cause: 'stop' }));
  const chosen: Eviction<Waiting>[] = [];
  const staying: Waiting[] = [];
  for (const who of waiting) {
    if (who.ttlMs !== undefined && now - who.waitingSince >= who.ttlMs) chosen.push({ who, cause: 'ttl' });
    else if (now - who.startedAt >= who.executionTimeoutMs / 2 && !isUnderWay(who, now))
      chosen.push({ who, cause: 'timeout' });
    else staying.push(who);
  }
  const left = facts.running - chosen.length;
  if (left < slots) return chosen;
  const surplus = left - Math.floor(slots / 2);
  const yielding = staying
    .filter((who) => who.yields && now - who.waitingSince >= (who.isAsleep ? shortestSleepMs : shortestWaitMs))
    .sort((a, b) => a.priority - b.priority || a.waitingSince - b.waitingSince);
  return [...chosen, ...yielding.slice(0, surplus).map((who): Eviction<Waiting> => ({ who, cause: 'capacity' }))];
}

/** Between two operations of a replay, which takes long: it would begin it again, and come no further, for ever. */
function isUnderWay({ replays, waitingSince }: WaitingInvocation, now: number): boolean {
  return replays && now - waitingSince < shortestWaitMs;
}
