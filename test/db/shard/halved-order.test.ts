import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let client: Client;
let world: OwnerWorld;

beforeAll(async () => {
  ({ client } = database);
  world = await OwnerWorld.start(database.url);
});

afterAll(() => world.owner.stop());

it('commands of one task keep their order where the first half of a refused transaction must be tried again', async () => {
  const { owner, tenantId } = world;
  const definition = workflowOf('long', [stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 } })]);
  const ids = { workflowId: newId(), versionId: newId() };
  await owner.submit({
    kind: 'putWorkflow',
    tenantId,
    definition,
    checksum: 'c',
    ...ids,
    filterIds: [],
    crons: [],
  });
  const workerId = newId();
  await owner.submit({
    kind: 'registerWorker',
    tenantId,
    workerId,
    name: 'w',
    actions: ['wf:long'],
    slots: { durable: 1 },
    labels: {},
    runtime: {},
  });
  await world.present(workerId);
  await world.put();
  const taskId = newId();
  const run = {
    runId: taskId,
    taskIds: [taskId],
    versionId: ids.versionId,
    input: '{}',
    metadata: '{}',
    priority: 1,
    parentTaskId: null,
    childIndex: null,
    childKey: null,
    filterPayload: null,
    placement: null,
    idempotency: null,
    ownId: false,
    earlierIds: [],
    demands: null,
  };
  await owner.submit({ kind: 'trigger', tenantId, runs: [run] });
  // The first time that entries are stored there is a value that no table takes; the second time Postgres has no memory.
  await client.query(`
    CREATE SEQUENCE tries;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      CASE nextval('tries')
        WHEN 1 THEN RAISE EXCEPTION 'no such value' USING ERRCODE = '22023';
        WHEN 2 THEN RAISE EXCEPTION 'out of memory' USING ERRCODE = '53200';
        ELSE RETURN NULL;
      END CASE;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON durable_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse();
  `);
  const ask = (key: string, request: number): Promise<void> =>
    owner.submit({
      kind: 'durableAsk',
      tenantId,
      workerId,
      taskId,
      invocation: 1,
      stream: 1,
      request,
      ask: { kind: 'memo', key, payload: null },
    });
  await Promise.all([ask('first', 1), ask('second', 2)]);
  const { rows } = await client.query('SELECT node, fingerprint FROM durable_entry WHERE task_id = $1 ORDER BY node', [
    taskId,
  ]);
  expect(rows).toEqual([
    { node: 1, fingerprint: 'first' },
    { node: 2, fingerprint: 'second' },
  ]);
});
