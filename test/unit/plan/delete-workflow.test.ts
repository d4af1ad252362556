import { describe, expect, it } from 'vitest';
import { waitingPause } from '../../../engine/model/pause-rules.ts';
import type { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const unknown = expect.objectContaining({ code: 'UNKNOWN_WORKFLOW' });

class World extends PlannerWorld {
  readonly workflowId: string;
  readonly written: ChangeSet[] = [];

  constructor() {
    super();
    this.write = (changes) => this.written.push(changes);
    this.put(workflowOf('single', [stepOf('one')], { eventKeys: ['order:*'] }));
    this.workflowId = this.idOf('single') ?? '';
  }

  idOf(name: string): string | undefined {
    return this.state.latestVersion(tenantId, name)?.workflowId;
  }

  delete(): void {
    this.run({ kind: 'deleteWorkflow', tenantId, workflowId: this.workflowId });
  }

  pause(paused: boolean): void {
    this.run({ kind: 'pauseWorkflow', tenantId, workflowId: this.workflowId, paused });
  }

  addTimersAndFilter(): { cron: string; schedule: string; filter: string } {
    const [cron, schedule, filter] = [this.id(), this.id(), this.id()];
    const { workflowId } = this;
    const dueUs = this.nowUs + 60_000_000;
    const payload = { input: '{}', metadata: '{}', priority: null };
    const fields = { name: 'c', expression: '* * * * *', zone: 'UTC', catchUp: 'last' as const, enabled: true };
    this.run({
      kind: 'putCron',
      tenantId,
      cron: {
        ...payload,
        ...fields,
        id: cron,
        workflowId,
        nextUs: dueUs,
        isDeclared: false,
        lastUs: null,
        lastRunId: null,
      },
    });
    this.run({
      kind: 'putSchedules',
      tenantId,
      schedules: [{ ...payload, id: schedule, workflowId, dueUs, parentTaskId: null }],
    });
    this.run({
      kind: 'putFilter',
      tenantId,
      filter: { id: filter, workflowId, scope: 's', expression: 'true', payload: '{}', isDeclared: false },
    });
    return { cron, schedule, filter };
  }
}

describe('a workflow that is deleted', () => {
  it('is unknown, starts by no event, and loses its timers and filters; its runs go on', () => {
    const world = new World();
    const { cron, schedule, filter } = world.addTimersAndFilter();
    world.register({ actions: ['wf:one'] });
    const runId = world.trigger('single');
    world.delete();
    const changes = world.written.at(-1);
    expect([changes?.cronDeletes, changes?.scheduleDeletes, changes?.filterDeletes]).toEqual([
      [cron],
      [schedule],
      [filter],
    ]);
    expect(changes?.workflowUpdates).toEqual([
      { id: world.workflowId, paused: false, ...waitingPause, resumedUs: null, deleted: true },
    ]);
    expect(world.idOf('single')).toBeUndefined();
    expect(world.state.latest.startedBy(tenantId, 'order:paid')).toEqual([]);
    expect([world.state.crons.size, world.state.schedules.size]).toEqual([0, 0]);
    expect(world.state.timers.first).toBeUndefined();
    expect(() => world.pause(true)).toThrow(unknown);
    expect(() => world.delete()).toThrow(unknown);
    expect(() => world.addTimersAndFilter()).toThrow(unknown);
    world.run({ kind: 'completed', tenantId, taskId: runId, attempt: 0, output: '{}' });
    expect(world.stored.results.get(`${runId}/1`)).toMatchObject({ output: '{}' });
  });

  it('is there again with its next version and its id once it is registered, by the same definition too, and is not paused', () => {
    const world = new World();
    world.pause(true);
    world.delete();
    world.put(workflowOf('Single', [stepOf('one')], { eventKeys: ['order:*'] }));
    const version = world.state.latestVersion(tenantId, 'single');
    expect(version).toMatchObject({ workflowId: world.workflowId, ordinal: 2 });
    expect(world.written.at(-1)).toMatchObject({
      workflows: [],
      versions: [{ workflowId: world.workflowId, ordinal: 2 }],
      workflowUpdates: [{ id: world.workflowId, paused: false, deleted: false }],
    });
    expect(world.state.latest.startedBy(tenantId, 'order:paid')).toEqual([version]);
    expect(world.state.workflowState(world.workflowId)).toMatchObject({ paused: false, deleted: false });
    world.delete();
    world.put(workflowOf('single', [stepOf('one')]));
    expect(world.state.latestVersion(tenantId, 'single')?.ordinal).toBe(3);
  });

  it("is another tenant's to nobody else, and the deletion is taken back with its transaction", () => {
    const world = new World();
    const other = tenantOf('00000000-0000-7000-8000-00000000000b');
    expect(() => world.run({ kind: 'deleteWorkflow', tenantId: other, workflowId: world.workflowId })).toThrow(unknown);
    const ids = world.addTimersAndFilter();
    const before = JSON.stringify(world.image());
    let image = '';
    world.isTakenBack = () => true;
    world.tookBack = () => (image = JSON.stringify(world.image()));
    world.delete();
    expect(image).toBe(before);
    world.isTakenBack = () => false;
    expect(world.idOf('single')).toBeUndefined();
    world.isTakenBack = () => true;
    let kept: unknown;
    world.tookBack = () => (kept = world.state.latest.deleted(tenantId, 'single')?.workflowId);
    world.put(workflowOf('single', [stepOf('one')]));
    expect(kept).toBe(world.workflowId);
    expect(world.state.latest.deleted(tenantId, 'single')).toBeUndefined();
    expect(Object.keys(ids)).toHaveLength(3);
  });
});
