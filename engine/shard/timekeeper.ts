import type { Pool } from 'pg';
import type { Logger } from '../log.ts';
import { dueTick } from '../model/cron.ts';
import { HatchetError } from '../errors.ts';
import type { TriggerRun } from '../plan/trigger-run.ts';
import type { CronTimer, ShardState } from '../plan/shard-state.ts';
import type { Timer } from '../plan/timer-heap.ts';
import type { Owner } from './owner.ts';
import { prepareRun } from './prepare-run.ts';

/** Timers that are prepared at once. */
const atOnce = 100;
const retryUs = 1_000_000;

interface TimerPayload {
  input: string;
  metadata: string;
  priority: number | null;
  parentTaskId: string | null;
}

const readPayloads = {
  name: 'timer_payloads',
  text: `
    SELECT c.id, c.input, c.metadata::text AS metadata, c.priority, NULL::uuid AS "parentTaskId" FROM unnest($1::uuid[]) AS u (id) JOIN cron c ON c.id = u.id
    UNION ALL
    SELECT s.id, s.input, s.metadata::text, s.priority, s.parent_task_id FROM unnest($1::uuid[]) AS u (id) JOIN schedule s ON s.id = u.id`,
};

/** Fires what is due: reads its input, prepares its run, and has the owner make it. Whatever fails here is tried again. */
export class Timekeeper {
  readonly #owner: Owner;
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #firing = new Set<Promise<void>>();

  constructor(options: { owner: Owner; pool: Pool; log: Logger }) {
    this.#owner = options.owner;
    this.#pool = options.pool;
    this.#log = options.log;
  }

  /** Called by the owner's clock. */
  due(state: ShardState, nowUs: number): void {
    const timers = state.timers.takeDue(nowUs, atOnce);
    if (timers.length === 0) return;
    const firing = this.#fireAll(timers, nowUs)
      .catch((error: unknown) => {
        this.#log.warn({ err: error, timers: timers.length }, 'timers could not be fired; trying again');
        for (const timer of timers) state.timers.push({ ...timer, dueUs: timer.dueUs });
        setTimeout(() => this.#owner.wakeForTimers(), retryUs / 1000);
      })
      .finally(() => this.#firing.delete(firing));
    this.#firing.add(firing);
  }

  /** Resolves once what is being fired has been, or has failed. */
  async idle(): Promise<void> {
    await Promise.all(this.#firing);
  }

  async #fireAll(timers: readonly Timer[], nowUs: number): Promise<void> {
    const { rows } = await this.#pool.query<TimerPayload & { id: string }>({ ...readPayloads, values: [timers.map((timer) => timer.id)] });
    const payloads = new Map(rows.map((row) => [row.id, row]));
    await Promise.all(timers.map((timer) => this.#fire(timer, payloads.get(timer.id), nowUs)));
  }

  async #fire(timer: Timer, payload: TimerPayload | undefined, nowUs: number): Promise<void> {
    const { tenantId } = timer;
    const cron = this.#owner.stateOf(tenantId)?.crons.get(timer.id);
    const tick = timer.kind === 'cron' && cron !== undefined ? dueTick(cron, { dueMs: timer.dueUs / 1000, nowMs: nowUs / 1000 }) : { fire: true, nextMs: Infinity };
    const prepared = tick.fire && payload !== undefined ? await this.#prepare(timer, payload) : { run: null, error: null };
    const nextUs = Math.min(tick.nextMs * 1000, Number.MAX_SAFE_INTEGER);
    await this.#owner.submit(tenantId, { kind: 'fireTimer', timer, nextUs, ...prepared, existing: new Set() });
  }

  /** A run that cannot be made does not stop its timer: the reason is kept with it. */
  async #prepare(timer: Timer, payload: TimerPayload): Promise<{ run: TriggerRun | null; error: string | null }> {
    try {
      const workflow = this.#owner.stateOf(timer.tenantId)?.latestById(timer.workflowId);
      if (workflow === undefined) throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${timer.workflowId}`);
      const { input, priority, parentTaskId } = payload;
      const metadata = timer.kind === 'cron' ? cronMetadata(payload.metadata, this.#owner.stateOf(timer.tenantId)?.crons.get(timer.id), timer.dueUs) : payload.metadata;
      const run = await prepareRun(this.#owner, timer.tenantId, { workflowName: workflow.definition.name, input, metadata, priority: priority ?? undefined, parentTaskId: parentTaskId ?? undefined });
      return { run, error: null };
    } catch (error) {
      if (!(error instanceof HatchetError) || error.code === 'NOT_OWNER') throw error;
      return { run: null, error: error.message };
    }
  }
}

/** A run of a cron says which, and which tick it is for. */
function cronMetadata(metadata: string, cron: CronTimer | undefined, dueUs: number): string {
  const own: unknown = JSON.parse(metadata);
  return JSON.stringify({ ...Object(own), hatchet__cron_name: cron?.name, hatchet__cron_expression: cron?.expression, hatchet__cron_tick: new Date(dueUs / 1000).toISOString() });
}
