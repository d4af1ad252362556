import { describe, expect, it } from 'vitest';
import type { Commands } from '../../../engine/edge/parsed-commands.ts';
import type { Command } from '../../../engine/plan/commands/command.ts';
import type { Owner } from '../../../engine/shard/owner.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { tenantOf } from '../../helpers/tenant.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const stranger = tenantOf('00000000-0000-7000-8000-00000000000b');

interface Made {
  made: PlannerWorld;
  workerId: string;
  taskId: string;
}

function running(): Made {
  const made = new PlannerWorld();
  made.put(workflowOf('single', [stepOf('one')]));
  const workerId = made.register({ actions: ['wf:one'] });
  return { made, workerId, taskId: made.trigger('single') };
}

/** What the commands of this file would change. */
function picture({ made: { state }, workerId, taskId }: Made): unknown {
  const worker = state.workersById.get(workerId);
  const row = rowOf(state.tasks, taskId);
  return {
    assignable: worker?.assignable,
    awaySinceUs: worker?.awaySinceUs,
    stream: worker?.durableStream,
    tasks: worker?.tasks.size,
    state: state.tasks.state[row],
    flags: state.tasks.flags[row],
    attempt: state.tasks.attempt[row],
    timers: [...state.schedules.keys(), ...state.crons.keys()],
  };
}

const ofWorker: readonly [string, (ids: Omit<Made, 'made'>, tenant: TenantId) => Command][] = [
  [
    'its absence',
    ({ workerId }, tenant) => ({ kind: 'workerPresence', tenantId: tenant, workerId, assignable: false }),
  ],
  ['its loss', ({ workerId }, tenant) => ({ kind: 'workerLost', tenantId: tenant, workerId, forget: true })],
  [
    'its durable stream',
    ({ workerId }, tenant) => ({ kind: 'durableAttach', tenantId: tenant, workerId, stream: 7, strict: false }),
  ],
  [
    'its silence',
    ({ workerId, taskId }, tenant) => ({
      kind: 'unanswered',
      tenantId: tenant,
      workerId,
      attempts: [{ taskId, attempt: 0, invocation: null }],
    }),
  ],
  ['an attempt not sent', ({ taskId }, tenant) => ({ kind: 'returnUnsent', tenantId: tenant, taskId, attempt: 0 })],
  [
    'an attempt not begun',
    ({ taskId }, tenant) => ({ kind: 'reassignUnstarted', tenantId: tenant, taskId, attempt: 0 }),
  ],
];

describe('what is said of a worker or an attempt under another tenant changes nothing', () => {
  it.each(ofWorker)('%s', (_, command) => {
    const world = running();
    const before = picture(world);
    world.made.run(command(world, stranger));
    expect(picture(world)).toEqual(before);
    if (command(world, tenantId).kind === 'returnUnsent') return; // goes to the same worker again
    world.made.run(command(world, tenantId));
    expect(picture(world)).not.toEqual(before);
  });

  it('its answer, and that it was told of an end', () => {
    const world = running();
    const { made, workerId, taskId } = world;
    made.run({ kind: 'unanswered', tenantId, workerId, attempts: [{ taskId, attempt: 0, invocation: null }] });
    const before = picture(world);
    made.run({ kind: 'cancelSent', tenantId: stranger, taskId, attempt: 0 });
    made.run({ kind: 'workerAnswered', tenantId: stranger, workerId });
    expect(picture(world)).toEqual(before);
    made.run({ kind: 'cancelSent', tenantId, taskId, attempt: 0 });
    expect(picture(world)).not.toEqual(before);
  });
});

it('a timer fires for its own tenant alone', () => {
  const { made } = running();
  const workflowId = made.state.latestVersion(tenantId, 'single')?.workflowId ?? '';
  const schedule = { id: made.id(), workflowId, dueUs: made.nowUs, input: '{}', metadata: '{}', priority: null };
  made.run({ kind: 'putSchedules', tenantId, schedules: [{ ...schedule, parentTaskId: null }] });
  const timer = { kind: 'schedule', id: schedule.id, dueUs: schedule.dueUs } as const;
  const fired = { kind: 'fireTimer', timer, run: null, error: null, nextUs: 0 } as const;
  made.run({ ...fired, tenantId: stranger });
  expect(made.state.schedules.size).toBe(1);
  made.run({ ...fired, tenantId });
  expect(made.state.schedules.size).toBe(0);
});

it('what a command brings belongs to the tenant for which it is sent, whatever its rows say', () => {
  const { made } = running();
  const workflowId = made.state.latestVersion(tenantId, 'single')?.workflowId ?? '';
  const row = { tenantId: stranger, id: made.id(), workflowId, dueUs: made.nowUs, input: '{}', metadata: '{}' };
  const stored: string[] = [];
  made.write = (changes) => stored.push(...changes.schedules.map((schedule) => schedule.tenantId));
  const schedules = [{ ...row, priority: null, parentTaskId: null }];
  made.run({ kind: 'putSchedules', tenantId, schedules });
  expect(stored).toEqual([tenantId]);
  expect(made.state.schedules.get(row.id)?.tenantId).toBe(tenantId);
});

/** For the compiler alone. */
export function refusedByTypes(owner: Owner, edge: Commands): Promise<unknown>[] {
  return [
    // @ts-expect-error a tick is of no tenant's
    owner.submit({ kind: 'tick' }),
    // @ts-expect-error it does not say whose the worker is
    owner.submit({ kind: 'workerAnswered', workerId: '' }),
    // @ts-expect-error the id of something else is no tenant's
    owner.submit({ kind: 'closeTenant', tenantId: newId() }),
    // @ts-expect-error no parser has let the worker's id through
    edge.submit({ kind: 'unsubscribe', tenantId: stranger, workerId: 'w' }),
  ];
}
