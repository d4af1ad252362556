import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../engine/model/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

describe('crons in Postgres', () => {
  it('keep the last run and why the newest tick made none, for the next owner', async () => {
    const first = await OwnerWorld.start(database.url);
    const { tenantId } = first;
    await first.put();
    const version = first.owner.stateOf(tenantId)?.latestVersion(tenantId, 'single');
    if (version === undefined) throw new Error('the workflow is not there');
    const dueUs = Date.now() * 1000 + 3_600_000_000;
    const id = newId();
    await first.owner.submit(tenantId, {
      kind: 'putCron',
      cron: {
        id,
        tenantId,
        workflowId: version.workflowId,
        name: 'nightly',
        expression: '0 3 * * *',
        zone: 'UTC',
        catchUp: 'none',
        input: '{}',
        metadata: '{}',
        priority: null,
        enabled: true,
        isDeclared: false,
        nextUs: dueUs,
        lastUs: null,
        lastRunId: null,
      },
    });
    const runId = newId();
    const run = {
      runId,
      taskIds: [runId],
      versionId: version.versionId,
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
    const cronOf = (world: OwnerWorld) => world.owner.stateOf(tenantId)?.crons.get(id);
    for (const tick of [
      { run, error: null, nextUs: dueUs + 1_000_000 },
      { run: null, error: 'the input is no object', nextUs: dueUs + 2_000_000 },
    ]) {
      const timer = cronOf(first);
      if (timer === undefined) throw new Error('the cron is not there');
      await first.owner.submit(tenantId, { kind: 'fireTimer', timer, ...tick });
    }
    const known = cronOf(first);
    expect(known).toMatchObject({
      dueUs: dueUs + 2_000_000,
      lastUs: dueUs,
      lastRunId: runId,
      lastError: 'the input is no object',
    });
    await first.owner.stop();
    const next = await OwnerWorld.start(database.url, { tenantId });
    expect(cronOf(next)).toEqual(known);
    await next.owner.stop();
  });
});
