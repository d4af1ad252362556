import { expect, it } from 'vitest';
import type { CommandByKind } from '../../../engine/plan/commands/command.ts';
import { noFacts, type Facts } from '../../../engine/plan/commands/loaded-facts.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

function world(): { made: PlannerWorld; schedules: CommandByKind['putSchedules']; cron: CommandByKind['putCron'] } {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one')]));
  const workflowId = made.state.latestVersion(tenantId, 'single')?.workflowId ?? '';
  const run = { tenantId, workflowId, input: '{}', metadata: '{}', priority: null };
  const schedule = { ...run, id: made.id(), parentTaskId: null, dueUs: made.nowUs + 1 };
  const cron = {
    ...run,
    id: made.id(),
    name: 'hourly',
    expression: '0 * * * *',
    zone: 'UTC',
    catchUp: 'none' as const,
    enabled: true,
    isDeclared: false,
    nextUs: made.nowUs + 1,
    lastUs: null,
    lastRunId: null,
  };
  return {
    made,
    schedules: { kind: 'putSchedules', tenantId, schedules: [schedule] },
    cron: { kind: 'putCron', tenantId, cron },
  };
}

it('timers that are put again after a lost answer are stored once', () => {
  const { made, schedules, cron } = world();
  const written: number[] = [];
  made.write = (changes) => written.push(changes.schedules.length, changes.crons.length);
  for (const command of [schedules, cron, schedules, cron]) made.run(command);
  expect(written).toEqual([1, 0, 0, 1, 0, 0, 0, 0]);
});

it('a schedule that has run meanwhile does not run again', () => {
  const { made, schedules } = world();
  const [schedule] = schedules.schedules;
  const facts: Facts = { ...noFacts, isUncertain: true, storedIds: new Set([schedule?.id ?? '']) };
  made.factsFor = () => facts;
  made.run(schedules);
  expect(made.state.schedules.size).toBe(0);
});
