import { describe, expect, it } from 'vitest';
import { scheduleFigures } from '../../../engine/figures/schedule-figures.ts';
import type { CronRow } from '../../../engine/model/stored-rows.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const hourUs = 3_600_000_000;

function world() {
  const made = new PlannerWorld();
  made.put(workflowOf('report', [stepOf('one')]));
  const workflowId = made.state.latestVersion(tenantId, 'report')?.workflowId ?? '';
  const cronOf = (name: string, nextUs: number, change: Partial<CronRow> = {}): CronRow => ({
    id: made.id(),
    tenantId,
    workflowId,
    name,
    expression: '0 3 * * *',
    zone: 'Europe/Berlin',
    catchUp: 'last',
    input: '{}',
    metadata: '{}',
    priority: null,
    enabled: true,
    isDeclared: false,
    nextUs,
    lastUs: null,
    lastRunId: null,
    ...change,
  });
  return { made, workflowId, cronOf };
}

describe('scheduleFigures', () => {
  it('shows the next tick, and the last one with its run', () => {
    const { made, cronOf } = world();
    const due = made.nowUs + hourUs;
    const cron = cronOf('nightly', due);
    made.run({ kind: 'putCron', tenantId, cron });
    expect(scheduleFigures(made.state, tenantId)).toMatchObject({
      crons: [
        {
          cronId: cron.id,
          name: 'nightly',
          workflowName: 'report',
          timezone: 'Europe/Berlin',
          catchUp: 'last',
          enabled: true,
          nextAt: new Date(due / 1000),
          lastAt: undefined,
          lastRunId: undefined,
        },
      ],
      cronCount: 1,
    });
    const timer = made.state.crons.get(cron.id);
    const [run] = made.triggerOf('report').runs;
    if (timer === undefined || run === undefined) throw new Error('nothing to fire');
    made.run({ kind: 'fireTimer', tenantId, timer, run, error: null, nextUs: due + hourUs });
    expect(scheduleFigures(made.state, tenantId).crons).toMatchObject([
      {
        nextAt: new Date((due + hourUs) / 1000),
        lastAt: new Date(due / 1000),
        lastRunId: run.runId,
        lastError: undefined,
      },
    ]);
  });

  it('keeps the last run through a tick that fails, a switch and a new declaration', () => {
    const { made, workflowId, cronOf } = world();
    const cron = cronOf('0 3 * * *', made.nowUs, { isDeclared: true });
    made.run({
      kind: 'putWorkflow',
      tenantId,
      definition: workflowOf('report', [stepOf('one', { retries: 1 })]),
      checksum: 'a',
      workflowId,
      versionId: made.id(),
      filterIds: [],
      crons: [cron],
    });
    const [first] = made.state.crons.values();
    const [run] = made.triggerOf('report').runs;
    if (first === undefined || run === undefined) throw new Error('nothing to fire');
    made.run({ kind: 'fireTimer', tenantId, timer: first, run, error: null, nextUs: made.nowUs + hourUs });
    const timer = made.state.crons.get(first.id) ?? first;
    made.run({
      kind: 'fireTimer',
      tenantId,
      timer,
      run: null,
      error: 'the input is no object',
      nextUs: made.nowUs + hourUs,
    });
    expect(scheduleFigures(made.state, tenantId).crons).toMatchObject([{ lastError: 'the input is no object' }]);
    made.run({ kind: 'setCronEnabled', tenantId, cronId: timer.id, enabled: false, nextUs: made.nowUs + hourUs });
    expect(scheduleFigures(made.state, tenantId).crons).toMatchObject([
      { enabled: false, nextAt: undefined, lastError: undefined },
    ]);
    const before = made.state.crons.get(timer.id);
    made.run({
      kind: 'putWorkflow',
      tenantId,
      definition: workflowOf('report', [stepOf('one', { retries: 2 })]),
      checksum: 'b',
      workflowId,
      versionId: made.id(),
      filterIds: [],
      crons: [{ ...cron, id: made.id(), lastUs: null, lastRunId: null }],
    });
    expect(before?.lastRunId).toBe(run.runId);
    expect([...made.state.crons.values()]).toMatchObject([
      { enabled: false, lastUs: before?.lastUs, lastRunId: run.runId },
    ]);
  });

  it('lists the soonest first, those that are off last, and is bounded', () => {
    const { made, workflowId, cronOf } = world();
    for (const [name, hours, enabled] of [
      ['off', 1, false],
      ['late', 3, true],
      ['soon', 2, true],
    ] as const)
      made.run({ kind: 'putCron', tenantId, cron: cronOf(name, made.nowUs + hours * hourUs, { enabled }) });
    const schedules = Array.from({ length: 250 }, (_, index) => ({
      id: made.id(),
      tenantId,
      workflowId,
      dueUs: made.nowUs + (250 - index) * hourUs,
      input: '{}',
      metadata: '{}',
      priority: null,
      parentTaskId: null,
    }));
    made.run({ kind: 'putSchedules', tenantId, schedules });
    const figures = scheduleFigures(made.state, tenantId);
    expect(figures.crons.map((cron) => cron.name)).toEqual(['soon', 'late', 'off']);
    expect(figures).toMatchObject({ cronCount: 3, scheduleCount: 250 });
    expect(figures.schedules).toHaveLength(200);
    expect(figures.schedules[0]).toMatchObject({ scheduleId: schedules.at(-1)?.id, workflowName: 'report' });
  });

  it('has no date for a tick that never comes', () => {
    const { made, cronOf } = world();
    made.run({ kind: 'putCron', tenantId, cron: cronOf('never', Number.MAX_SAFE_INTEGER) });
    expect(scheduleFigures(made.state, tenantId).crons).toMatchObject([{ enabled: true, nextAt: undefined }]);
  });
});
