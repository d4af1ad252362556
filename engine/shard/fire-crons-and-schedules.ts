import { processHost, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { dueTick } from '../model/time/missed-ticks.ts';
import { HatchetError } from '../base/errors.ts';
import type { TriggerRun } from '../model/task/trigger-run.ts';
import type { Sql } from '../postgres/sql-client.ts';
import type { CronTimer, ShardState } from '../plan/state/shard-state.ts';
import type { Timer } from '../plan/timers/timer-heap.ts';
import type { Owner } from './owner.ts';
import { HoldOff } from './hold-off.ts';
import { prepareRun } from './prepare/prepare-run.ts';

/** Timers that are prepared at once. */
const atOnce = 100;
const retryMs = 1_000;

export interface TimerPayload {
  input: string;
  metadata: string;
  priority: number | null;
  parentTaskId: string | null;
}

export const readPayloads = {
  name: 'timer_payloads',
  text: `
    SELECT c.id, c.input, c.metadata::text AS metadata, c.priority, NULL::uuid AS "parentTaskId" FROM unnest($1::uuid[]) AS u (id) JOIN cron c ON c.id = u.id
    UNION ALL
    SELECT s.id, s.input, s.metadata::text, s.priority, s.parent_task_id FROM unnest($1::uuid[]) AS u (id) JOIN schedule s ON s.id = u.id`,
};

/**
 * Fires what is due: reads its input, prepares its run, and has the owner make it. Whatever fails here is tried again: after a
 * second, or, where it fails by its own content, after a pause of its own that grows. So it holds up no other timer.
 */
export class DueTimers {
  readonly #owner: Owner;
  readonly #pool: Sql;
  readonly #host: Host;
  readonly #log: Logger;
  readonly #firing = new Set<Promise<void>>();
  readonly #holds = new HoldOff<string>();
  /** Those that are being fired, or whose pause is not over. */
  readonly #claimed = new Set<string>();

  constructor(options: { owner: Owner; pool: Sql; log: Logger; host?: Host }) {
    this.#owner = options.owner;
    this.#pool = options.pool;
    this.#log = options.log;
    this.#host = options.host ?? processHost;
  }

  /** Called by the owner's clock. */
  due(state: ShardState, nowUs: number): void {
    const timers = state.timers.takeDue(nowUs, atOnce).filter((timer) => this.#claim(timer));
    if (timers.length === 0) return;
    const firing = this.#fireAll(timers, nowUs).finally(() => this.#firing.delete(firing));
    this.#firing.add(firing);
  }

  /** Resolves once what is being fired has been, or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.#firing);
  }

  /** A firing that was taken back has put its timer into the heap again. */
  #claim(timer: Timer): boolean {
    const key = keyOf(timer);
    if (this.#claimed.has(key)) return false;
    this.#claimed.add(key);
    return true;
  }

  async #fireAll(timers: readonly Timer[], nowUs: number): Promise<void> {
    const payloads = this.#read(timers);
    const fired = await Promise.allSettled(
      timers.map(async (timer) => this.#fire(timer, (await payloads).get(timer.id), nowUs)),
    );
    const unlucky: Timer[] = [];
    let reason: unknown;
    for (const [at, timer] of timers.entries()) {
      const result = fired[at];
      if (result?.status === 'fulfilled' && result.value === 'no row') this.#again([timer], retryMs);
      else if (result?.status !== 'rejected') {
        this.#holds.over(keyOf(timer));
        this.#release(timer);
      } else if (result.reason instanceof HatchetError && result.reason.code === 'COMMAND_FAILED') {
        this.#refused(timer, result.reason);
      } else {
        unlucky.push(timer);
        reason = result.reason;
      }
    }
    if (unlucky.length === 0) return;
    this.#log.warn({ err: reason, timers: unlucky.length }, 'timers could not be fired; trying again');
    this.#again(unlucky, retryMs);
  }

  async #read(timers: readonly Timer[]): Promise<Map<string, TimerPayload>> {
    const { rows } = await this.#pool.query<TimerPayload & { id: string }>({
      ...readPayloads,
      values: [timers.map((timer) => timer.id)],
    });
    return new Map(rows.map((row) => [row.id, row]));
  }

  #refused(timer: Timer, error: HatchetError): void {
    const { pauseMs, fails } = this.#holds.failed(keyOf(timer), this.#owner.nowUs);
    this.#log.error(
      { err: error, code: error.code, [timer.kind]: timer.id, fails, pauseMs },
      `a ${timer.kind} could not be fired; it is tried again after a pause`,
    );
    this.#again([timer], pauseMs);
  }

  #again(timers: readonly Timer[], pauseMs: number): void {
    const retry = this.#host.setTimeout(() => {
      for (const timer of timers) this.#release(timer);
      this.#owner.wakeForTimers();
    }, pauseMs);
    retry.unref();
  }

  /** The heap may have let go of it while it was claimed, and the shard may have been lost and found. */
  #release(timer: Timer): void {
    this.#claimed.delete(keyOf(timer));
    const state = this.#owner.stateOf(timer.tenantId);
    if (state === undefined) return;
    if (state.isCurrentTimer(timer)) state.timers.push(timer);
    else this.#holds.over(keyOf(timer));
  }

  /** Memory has a timer before its row is committed, and the row may be taken back: one that has no row is looked at again. */
  async #fire(timer: Timer, payload: TimerPayload | undefined, nowUs: number): Promise<'fired' | 'no row'> {
    const { tenantId } = timer;
    const cron = this.#owner.stateOf(tenantId)?.crons.get(timer.id);
    const tick =
      timer.kind === 'cron' && cron !== undefined
        ? dueTick(cron, { dueMs: timer.dueUs / 1000, nowMs: nowUs / 1000 })
        : { fire: true, nextMs: Infinity };
    if (tick.fire && payload === undefined) return 'no row';
    const prepared =
      tick.fire && payload !== undefined ? await this.#prepare(timer, payload) : { run: null, error: null };
    const nextUs = Math.min(tick.nextMs * 1000, Number.MAX_SAFE_INTEGER);
    await this.#owner.submit({ kind: 'fireTimer', tenantId, timer, nextUs, ...prepared });
    return 'fired';
  }

  /** A run that cannot be made does not stop its timer: the reason is kept with it. */
  async #prepare(timer: Timer, payload: TimerPayload): Promise<{ run: TriggerRun | null; error: string | null }> {
    try {
      const workflow = this.#owner.stateOf(timer.tenantId)?.latest.ofWorkflow(timer.workflowId);
      if (workflow === undefined)
        throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${timer.workflowId}`);
      const { input, priority, parentTaskId } = payload;
      const metadata =
        timer.kind === 'cron'
          ? cronMetadata(payload.metadata, this.#owner.stateOf(timer.tenantId)?.crons.get(timer.id), timer.dueUs)
          : payload.metadata;
      const run = await prepareRun(this.#owner, timer.tenantId, {
        workflowName: workflow.definition.name,
        input,
        metadata,
        priority: priority ?? undefined,
        parentTaskId: parentTaskId ?? undefined,
      });
      return { run, error: null };
    } catch (error) {
      if (!(error instanceof HatchetError) || error.code === 'NOT_OWNER') throw error;
      return { run: null, error: error.message };
    }
  }
}

/** One that was moved meanwhile is another. */
function keyOf(timer: Timer): string {
  return `${timer.id} ${timer.dueUs}`;
}

/** A run of a cron says which, and which tick it is for, in Hatchet's names: RFC 3339, in whole seconds as ticks are. */
export function cronMetadata(
  metadata: string,
  cron: Pick<CronTimer, 'name' | 'expression'> | undefined,
  dueUs: number,
): string {
  const own: unknown = JSON.parse(metadata);
  return JSON.stringify({
    ...Object(own),
    hatchet__cron_name: cron?.name,
    hatchet__cron_expression: cron?.expression,
    hatchet__cron_scheduled_at: new Date(dueUs / 1000).toISOString().replace('.000Z', 'Z'),
  });
}
