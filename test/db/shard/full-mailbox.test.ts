import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { valueAt } from '../../helpers/row-of.ts';

/** Triggers that wait at any time: more than one transaction takes. */
const waiting = 1_500;

const database = databaseFixture();
let world: OwnerWorld;

beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
});

afterAll(() => world.owner.stop());

it('what time brings goes on while triggers keep the mailbox full', async () => {
  const { owner, tenantId } = world;
  const put = (name: string, step: Parameters<typeof stepOf>[1]): Promise<unknown> =>
    owner.submit({
      kind: 'putWorkflow',
      tenantId,
      definition: workflowOf(name, [stepOf('one', { action: `wf:${name}`, ...step })]),
      checksum: name,
      workflowId: newId(),
      versionId: newId(),
      filterIds: [],
      crons: [],
    });
  await put('single', { action: 'wf:queued' }); // nobody runs these
  await world.register(10);
  const trigger = world.trigger.bind(world);
  await put('retried', { action: 'wf:one', retries: 1, backoffFactor: 1, backoffMaxSeconds: 1 });
  const version = owner.stateOf(tenantId)?.latestVersion(tenantId, 'retried');
  const runId = newId();
  await owner.submit({
    kind: 'trigger',
    tenantId,
    runs: [
      {
        runId,
        taskIds: [runId],
        versionId: version?.versionId ?? '',
        input: '{}',
        metadata: '{}',
        priority: 1,
        parentTaskId: null,
        childIndex: null,
        childKey: null,
        ownId: false,
        earlierIds: [],
        demands: null,
        placement: null,
        idempotency: null,
        filterPayload: null,
      },
    ],
  });
  const stateOf = (): number | undefined => {
    const tasks = owner.stateOf(tenantId)?.tasks;
    return valueAt(tasks?.state, tasks?.find(runId));
  };
  expect(stateOf()).toBe(LiveState.Running);

  const flooding = new AbortController();
  let triggered = 0;
  const flood = Array.from({ length: waiting }, async () => {
    while (!flooding.signal.aborted) {
      await trigger();
      triggered++;
    }
  });
  try {
    await expect.poll(() => triggered, { interval: 1, timeout: 10_000 }).toBeGreaterThan(0);
    await owner.submit({
      kind: 'failed',
      tenantId,
      taskId: runId,
      attempt: 0,
      error: '{"message":"no"}',
      mayRetry: true,
    });
    expect(stateOf()).toBe(LiveState.Delayed);
    await expect.poll(stateOf, { interval: 5, timeout: 15_000 }).toBe(LiveState.Running);
    expect(owner.waiting).toBeGreaterThan(0);
  } finally {
    flooding.abort();
    await Promise.all(flood);
  }
});
