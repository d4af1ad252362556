import { HatchetError } from '../../engine/base/errors.ts';
import { delay } from '../../engine/base/host.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { checkedMetadata } from '../../engine/model/payload/check-payload.ts';
import { cancelIds } from '../../engine/bulk/cancel-ids.ts';
import { pushEvents } from '../../engine/shard/prepare/prepare-event.ts';
import { prepareRun } from '../../engine/shard/prepare/prepare-run.ts';
import { replayIds } from '../../engine/bulk/replay-ids.ts';
import { Chances } from './chances.ts';
import { workflows } from './definitions.ts';
import { Unavailable } from './network.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { CallerSurroundings } from './surroundings.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

const callMs = 20_000;

/** Who triggers, cancels, replays, schedules and pushes events, at whichever engine is ready. */
export class Callers {
  readonly chances: Chances;
  /** Runs that they were told of. */
  readonly runs: { tenantId: TenantId; runId: string }[] = [];
  readonly #around: CallerSurroundings;
  /** Calls of those who ask until they are answered. */
  #open = 0;
  #calls = 0;

  constructor(around: CallerSurroundings) {
    this.#around = around;
    this.chances = new Chances(around.seed, 'callers');
  }

  get areAnswered(): boolean {
    return this.#open === 0;
  }

  get openCalls(): number {
    return this.#open;
  }

  async define(tenantId: TenantId): Promise<void> {
    for (const definition of workflows) {
      const [workflowId, versionId] = [newId(), newId()];
      await this.#ask('insists', tenantId, async (engine) =>
        engine.owner.submit({
          kind: 'putWorkflow',
          tenantId,
          definition,
          checksum: definition.name,
          workflowId,
          versionId,
          filterIds: [],
          crons: [],
        }),
      );
    }
  }

  /** Of the runs that they know. */
  runAt(pick: number): { tenantId: TenantId; runId: string } | undefined {
    return this.runs[pick % Math.max(this.runs.length, 1)];
  }

  async change(how: 'cancel' | 'replay', pick: number): Promise<void> {
    const run = this.runAt(pick);
    if (run === undefined) return;
    await this.#ask('tries', run.tenantId, async (engine) =>
      how === 'cancel'
        ? cancelIds(engine.owner, run.tenantId, [run.runId])
        : replayIds(engine.owner, run.tenantId, [run.runId]),
    );
  }

  /**
   * Asks an engine, as callers do: one that insists asks again until it is answered, the other one leaves it at two tries.
   * @returns undefined where it was not answered, or refused
   */
  async #ask<T>(
    manner: 'insists' | 'tries',
    tenantId: TenantId,
    ask: (engine: SimulatedEngine, call: number) => Promise<T>,
  ): Promise<T | undefined> {
    if (manner === 'insists') this.#open++;
    try {
      for (let tries = 0; ; tries++) {
        try {
          const engine = this.#around.pickEngine(this.chances);
          if (engine !== undefined) return await this.#call(tenantId, engine, ask);
        } catch (error) {
          const isPassing =
            error instanceof Unavailable ||
            (error instanceof HatchetError && ['NOT_OWNER', 'STOPPING', 'UNKNOWN_WORKFLOW'].includes(error.code));
          if (!isPassing) this.#around.note(`refused: ${error instanceof Error ? error.message : String(error)}`);
          if (!isPassing || (manner === 'tries' && tries >= 1)) return undefined;
        }
        await delay(this.#around.outside, this.chances.between(50, 1_000));
      }
    } finally {
      if (manner === 'insists') this.#open--;
    }
  }

  /** Each has a number, which goes into what it asks for: an engine carries it out once. */
  async #call<T>(
    tenantId: TenantId,
    engine: SimulatedEngine,
    ask: (engine: SimulatedEngine, call: number) => Promise<T>,
  ): Promise<T> {
    const call = this.nextCall();
    return this.#around.call(this.#around.outside, engine, {
      tenantId,
      serve: async (at) => ask(at, call),
      deadlineMs: callMs,
    });
  }

  async trigger(
    tenantId: TenantId,
    request: { workflowName: string; input: Readonly<Record<string, unknown>>; priority?: number },
    repeats: boolean,
  ): Promise<void> {
    // Without an id of its own a call that is repeated would start another run.
    const runId = repeats ? newId() : undefined;
    const reply = await this.#ask(repeats ? 'insists' : 'tries', tenantId, async (engine, call) => {
      const run = await prepareRun(engine.owner, tenantId, {
        metadata: checkedMetadata(''),
        priority: undefined,
        ...request,
        input: JSON.stringify({ ...request.input, call }),
        runId,
      });
      return engine.owner.submit({ kind: 'trigger', tenantId, runs: [run] });
    });
    for (const id of reply?.runIds ?? []) this.acknowledged(tenantId, id);
  }

  /** The number of a call. */
  nextCall(): number {
    return ++this.#calls;
  }

  /** Somebody was told that a run is stored. */
  acknowledged(tenantId: TenantId, runId: string): void {
    this.#around.note(`run ${runId} is acknowledged`);
    this.#around.invariants.acknowledged(runId);
    this.runs.push({ tenantId, runId });
  }

  /** One event, or several behind each other. */
  async push(tenantId: TenantId, key: string): Promise<void> {
    const pushes: Promise<unknown>[] = [];
    do {
      pushes.push(
        this.#ask('tries', tenantId, async (engine) => {
          // A try whose answer was lost may be stored, and the next one is another event: each has a number of its own.
          const payload = JSON.stringify({ key: 'p', n: this.#around.invariants.events.nextNumber() });
          return pushEvents(engine.owner, tenantId, [
            { key, payload, metadata: '', scope: undefined, priority: undefined },
          ]);
        }),
      );
      await delay(this.#around.outside, this.chances.between(0, 20));
    } while (this.chances.is(0.6));
    await Promise.all(pushes);
  }

  async schedule(tenantId: TenantId, inMs: number): Promise<void> {
    const id = newId();
    await this.#ask('insists', tenantId, async (engine) => {
      const state = await engine.owner.served(tenantId);
      const workflow = state.latestVersion(tenantId, 'timed');
      if (workflow === undefined) throw new Unavailable('the workflow is not there yet');
      return engine.owner.submit({
        kind: 'putSchedules',
        tenantId,
        schedules: [
          {
            id,
            workflowId: workflow.workflowId,
            dueUs: engine.owner.nowUs + Math.round(inMs * 1000),
            input: '{}',
            metadata: '{}',
            priority: null,
            parentTaskId: null,
          },
        ],
      });
    });
  }

  /** So many calls that the mailbox is never empty. */
  flood(tenantId: TenantId, { forMs, slowMs }: { forMs: number; slowMs: number }): void {
    const untilMs = this.#around.scheduler.nowMs + forMs;
    const engine = this.#around.servingEngine(tenantId);
    if (engine === undefined) return;
    // So slow that a few callers are enough.
    this.#around.faults.slow(forMs, slowMs);
    void this.schedule(tenantId, 1_000);
    const call = async (key: string): Promise<void> => {
      for (
        let n = 0;
        this.#around.scheduler.nowMs < untilMs && !engine.process.hasEnded && !this.#around.hasHealed;
        n++
      )
        await engine.owner
          .submit({ kind: 'putRateLimit', tenantId, key, limit: 1 + (n % 9), window: 'SECOND' })
          .catch(() => delay(engine.process, 100));
    };
    for (const key of ['f', 'g', 'h']) engine.process.enter(() => void call(key));
  }
}
