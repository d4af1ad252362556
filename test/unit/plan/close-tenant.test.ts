import { expect, it } from 'vitest';
import type { CommandByKind, CommandKind } from '../../../engine/plan/commands/command.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { tenantOf } from '../../helpers/tenant.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const neighbour = tenantOf('00000000-0000-7000-8000-00000000000b');
const refused = expect.objectContaining({ code: 'UNKNOWN_TENANT', message: `the tenant ${tenantId} is being deleted` });

function world(): PlannerWorld {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one', { action: 'wf:one' })]));
  return made;
}

const refusal = <K extends CommandKind>(made: PlannerWorld, command: CommandByKind[K] & { kind: K }): unknown => {
  try {
    made.run<K>(command);
    return undefined;
  } catch (error) {
    return error;
  }
};

it('of a tenant that is being deleted nothing new begins', () => {
  const made = world();
  const register = (owner: TenantId) =>
    ({
      kind: 'registerWorker',
      tenantId: owner,
      workerId: made.id(),
      name: 'w',
      actions: ['wf:one'],
      slots: {},
      labels: {},
      runtime: {},
    }) as const;
  made.run({ kind: 'closeTenant', tenantId });
  expect(() => made.trigger('single')).toThrow(refused);
  expect(refusal(made, register(tenantId))).toEqual(refused);
  expect(refusal(made, { kind: 'pushEvent', tenantId, events: [] })).toEqual(refused);
  expect(refusal(made, { kind: 'putRateLimit', tenantId, key: 'k', limit: 1, window: 'SECOND' })).toEqual(refused);
  expect(
    refusal(made, {
      kind: 'putWorkflow',
      tenantId,
      definition: workflowOf('new', [stepOf('one')]),
      checksum: 'c',
      workflowId: made.id(),
      versionId: made.id(),
      filterIds: [],
      crons: [],
    }),
  ).toEqual(refused);
  expect(
    refusal(made, {
      kind: 'putCron',
      tenantId,
      cron: {
        id: made.id(),
        workflowId: '',
        name: 'c',
        expression: '* * * * *',
        zone: 'UTC',
        catchUp: 'none',
        input: '{}',
        metadata: '{}',
        priority: null,
        enabled: true,
        isDeclared: false,
        nextUs: 0,
        lastUs: null,
        lastRunId: null,
      },
    }),
  ).toEqual(refused);
  expect(
    refusal(made, {
      kind: 'putSchedules',
      tenantId,
      schedules: [
        {
          id: made.id(),
          workflowId: '',
          dueUs: 0,
          input: '{}',
          metadata: '{}',
          priority: null,
          parentTaskId: null,
        },
      ],
    }),
  ).toEqual(refused);
  expect(
    refusal(made, {
      kind: 'putFilter',
      tenantId,
      filter: {
        id: made.id(),
        workflowId: '',
        scope: 's',
        expression: 'true',
        payload: '{}',
        isDeclared: false,
      },
    }),
  ).toEqual(refused);
  expect(refusal(made, { kind: 'replay', tenantId, ids: [] })).toEqual(refused);
  // Its neighbour in the shard goes on.
  expect(refusal(made, register(neighbour))).toBeUndefined();
});

it('what there is ends', () => {
  const made = world();
  const workerId = made.register({ actions: ['wf:one'], slots: 1 });
  const [running, queued] = [made.trigger('single'), made.trigger('single')];
  made.run({ kind: 'closeTenant', tenantId });
  expect(made.run({ kind: 'cancel', tenantId, ids: [running, queued] })).toEqual({ cancelled: [running, queued] });
  // The worker has still to be told of the one that it runs.
  expect(made.state.tasks.size).toBe(1);
  made.run({ kind: 'workerLost', tenantId, workerId, forget: true });
  expect([made.state.tasks.size, made.state.workersById.size, made.stored.live.size]).toEqual([0, 0, 0]);
  expect(made.broken()).toBeUndefined();
});

it('taken back with its batch, it was never said', () => {
  const made = world();
  made.rollback([{ kind: 'closeTenant', tenantId }]);
  expect(made.trigger('single')).not.toBe('');
});
