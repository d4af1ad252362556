import { describe, expect, it } from 'vitest';
import { waitingPause, type PauseRules } from '../../../engine/model/pause-rules.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const second = 1_000_000;
const minute = 60 * second;

class World extends PlannerWorld {
  readonly workflowId: string;
  readonly updates: unknown[] = [];

  constructor() {
    super();
    this.write = (changes) => this.updates.push(...changes.workflowUpdates, ...changes.scheduleUpdates);
    this.put(workflowOf('single', [stepOf('one', { scheduleTimeoutMs: 300_000 })]));
    this.workflowId = this.state.latestVersion(tenantId, 'single')?.workflowId ?? '';
  }

  pause(rules: Partial<PauseRules> = {}): void {
    this.run({
      kind: 'pauseWorkflow',
      tenantId,
      workflowId: this.workflowId,
      paused: true,
      rules: { ...waitingPause, ...rules },
    });
  }

  unpause(): void {
    this.run({ kind: 'pauseWorkflow', tenantId, workflowId: this.workflowId, paused: false });
  }

  /** Time passes, looked at each second. */
  wait(us: number): void {
    for (const untilUs = this.nowUs + us; this.nowUs < untilUs;) {
      this.nowUs += second;
      this.run({ kind: 'tick' });
    }
  }

  endOf(runId: string): { status: RunStatus; message: string | null } | undefined {
    const status = this.stored.results.get(`${runId}/1`)?.status;
    if (status === undefined) return undefined;
    const told = this.stored.history.find((row) => row.taskId === runId && row.message !== null);
    return { status, message: told?.message ?? null };
  }

  schedule(dueUs: number): string {
    const id = this.id();
    const { workflowId } = this;
    const schedule = { id, tenantId, workflowId, dueUs, input: '{}', metadata: '{}', priority: null };
    this.run({ kind: 'putSchedules', tenantId, schedules: [{ ...schedule, parentTaskId: null }] });
    return id;
  }
}

const dropped = { status: RunStatus.Cancelled, message: 'its workflow is paused, and keeps what is queued for 10m' };
const timedOut = { status: RunStatus.Cancelled, message: 'waited longer than its schedule timeout of 5m' };

describe('what is queued in a paused workflow', () => {
  it('waits for as long as the pause lasts, and no longer than the pause allows', () => {
    const world = new World();
    world.pause();
    const first = world.trigger('single');
    world.wait(20 * minute);
    expect(world.endOf(first)).toBeUndefined();
    // The rules of a second pause replace the first one's, and hold for what waits already.
    world.pause({ queueTtlMs: 600_000 });
    const later = world.trigger('single');
    world.wait(5 * minute);
    expect([world.endOf(first), world.endOf(later)]).toEqual([dropped, undefined]);
    world.wait(4 * minute);
    expect(world.endOf(later)).toBeUndefined();
    world.wait(minute + second);
    expect(world.endOf(later)).toEqual(dropped);
  });

  it('is dropped on time where the pause allows less than the schedule timeout', () => {
    const world = new World();
    world.pause({ queueTtlMs: 2_000 });
    const runId = world.trigger('single');
    world.wait(1 * second);
    expect(world.endOf(runId)).toBeUndefined();
    world.wait(2 * second);
    expect(world.endOf(runId)?.status).toBe(RunStatus.Cancelled);
  });

  it('has its whole schedule timeout from the end of the pause on', () => {
    const world = new World();
    world.pause({ queueTtlMs: 60_000 });
    const runId = world.trigger('single');
    world.wait(59 * second);
    world.unpause();
    world.wait(4 * minute);
    expect(world.endOf(runId)).toBeUndefined();
    world.wait(minute + second);
    expect(world.endOf(runId)).toEqual(timedOut);
  });

  it('knows the end of the pause over a time without an engine', () => {
    const world = new World();
    world.state.lostUs = 7;
    world.pause();
    world.unpause();
    const { workflowId: id, nowUs } = world;
    expect(world.updates.at(-1)).toEqual({ id, paused: false, ...waitingPause, resumedUs: nowUs - 7, deleted: false });
  });
});

describe('timers of a paused workflow', () => {
  const fire = (world: World, id: string, dueUs: number): void =>
    world.run({
      kind: 'fireTimer',
      tenantId,
      timer: { kind: 'schedule', id, dueUs },
      run: world.triggerOf('single').runs[0] ?? null,
      error: null,
      nextUs: Infinity,
    });

  it.each([
    [false, 1, null],
    [true, 0, 'dropped: its workflow is paused'],
  ])('scheduled runs are made or dropped, as the pause says (dropped: %s)', (dropsSchedules, runs, error) => {
    const world = new World();
    world.pause({ dropsSchedules });
    const dueUs = world.nowUs + second;
    const id = world.schedule(dueUs);
    world.nowUs = dueUs;
    fire(world, id, dueUs);
    expect(world.stored.runs.size).toBe(runs);
    expect(world.updates.at(-1)).toMatchObject({ id, error });
    // It is over: the end of the pause does not bring it back.
    world.unpause();
    expect(world.state.schedules.has(id)).toBe(false);
  });
});
