import { status } from '@grpc/grpc-js';
import { delay } from '../../engine/base/host.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { statusIn, transientStatuses } from '../../link/service-error.ts';
import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import type { Callers } from './callers.ts';
import { Chances } from './chances.ts';
import { SimulatedLink } from './simulated-link.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { ProgramSurroundings } from './surroundings.ts';

interface RunAsked {
  workflowName: string;
  input: Readonly<Record<string, unknown>>;
  priority?: number;
}

/** Programs that speak by sessions: of each tenant one that triggers alone, and those whose workers do so too. */
export class Programs {
  readonly chances: Chances;
  readonly #around: ProgramSurroundings;
  readonly #callers: Callers;
  readonly #all: SimulatedLink[] = [];
  /** By program and run. */
  readonly #waits = new Map<string, Promise<void>>();
  /** Calls that are under way. Of a program that has ended nobody waits for any. */
  readonly #open = new Map<SimulatedLink, number>();

  constructor(around: ProgramSurroundings, callers: Callers) {
    this.#around = around;
    this.#callers = callers;
    this.chances = new Chances(around.seed, 'programs');
  }

  /** Whose processes run. */
  get all(): readonly SimulatedLink[] {
    return this.#all.filter(({ process }) => !process.hasEnded);
  }

  get open(): number {
    return this.all.reduce((sum, program) => sum + (this.#open.get(program) ?? 0), 0);
  }

  of(tenantId: TenantId): readonly SimulatedLink[] {
    return this.all.filter((program) => program.tenantId === tenantId);
  }

  at(pick: number): SimulatedLink | undefined {
    const { all } = this;
    return all[pick % Math.max(all.length, 1)];
  }

  start(process: SimulatedProcess, tenantId: TenantId): SimulatedLink {
    const program = new SimulatedLink(this.#around, { process, tenantId });
    this.#all.push(program);
    return program;
  }

  /** One of the tenant's programs triggers a run. */
  trigger(tenantId: TenantId, run: RunAsked, repeats: boolean): void {
    const programs = this.of(tenantId);
    if (programs.length > 0) this.triggerBy(this.chances.pick(programs), run, repeats);
  }

  /** @param told of the acknowledgement, and of the end where that is waited for */
  triggerBy(program: SimulatedLink, run: RunAsked, repeats: boolean, told?: Told): void {
    const asked = {
      isAwaited: told !== undefined || this.chances.is(0.7),
      patienceMs: this.chances.pick([20_000, 20_000, 3_000]),
    };
    program.process.enter(
      () => void this.#whileOpen(program, this.#trigger(program, run, { repeats, ...asked, told })),
    );
  }

  /** A program waits for a run of its tenant's that another one has triggered, or that has ended. */
  awaitBy(program: SimulatedLink, runId: string): void {
    program.process.enter(() => void this.#whileOpen(program, this.#await(program, runId)));
  }

  async #whileOpen(program: SimulatedLink, work: Promise<void>): Promise<void> {
    this.#open.set(program, (this.#open.get(program) ?? 0) + 1);
    await work;
    this.#open.set(program, (this.#open.get(program) ?? 0) - 1);
  }

  async #trigger(
    program: SimulatedLink,
    { workflowName, input, priority }: RunAsked,
    how: { repeats: boolean; isAwaited: boolean; patienceMs: number; told: Told | undefined },
  ): Promise<void> {
    for (;;) {
      const runId = newId();
      const request = TriggerWorkflowRequest.fromPartial({
        name: workflowName,
        input: JSON.stringify({ ...input, call: this.#callers.nextCall() }),
        priority,
      });
      try {
        const { isAwaited, patienceMs } = how;
        await program.link.trigger(request, { runId, isAwaited, patienceMs });
        this.#callers.acknowledged(program.tenantId, runId);
        how.told?.acknowledged(runId);
        if (how.isAwaited) await this.#await(program, runId);
        how.told?.ended(runId);
        return;
      } catch (error) {
        this.#judge(error);
        if (!how.repeats) return;
      }
      await delay(program.process, this.chances.between(50, 1_000));
    }
  }

  /** As the SDK does: a program waits once for a run, whoever in it waits. */
  #await(program: SimulatedLink, runId: string): Promise<void> {
    const key = `${program.process.name} ${runId}`;
    const waiting = this.#waits.get(key) ?? this.#awaitByLink(program, runId);
    this.#waits.set(key, waiting);
    return waiting.finally(() => this.#waits.delete(key));
  }

  #awaitByLink(program: SimulatedLink, runId: string): Promise<void> {
    return new Promise((resolve) => {
      program.link.awaitRun(runId, {
        onEnded: (event) => {
          this.#around.note(`${program.process.name} is told of the end of ${event.workflowRunId}`);
          if (event.workflowRunId !== runId)
            this.#around.invariants.broken(`the end of ${event.workflowRunId} was told for that of ${runId}`);
          this.#around.invariants.runEnded(runId);
          resolve();
        },
        onLost: (error) =>
          this.#around.invariants.broken(`a link has given up: ${error instanceof Error ? error.message : ''}`),
      });
    });
  }

  /** What no program may be told: its trigger was well, and its id its own. */
  #judge(error: unknown): void {
    const code = statusIn(error);
    if (code === undefined) throw error;
    this.#around.note(`a program's trigger fails: ${error instanceof Error ? error.message : ''}`);
    // Before its workflow is there.
    if (transientStatuses.has(code) || code === status.NOT_FOUND) return;
    const { storeClockWasSet, faults } = this.#around;
    if (code === status.INVALID_ARGUMENT && storeClockWasSet) return; // its id is of another hour
    if (faults.werePoisonous) return;
    this.#around.invariants.broken(
      `a program's trigger was refused: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface Told {
  acknowledged(runId: string): void;
  ended(runId: string): void;
}
