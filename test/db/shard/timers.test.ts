import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { shardOf } from '../../../engine/model/ids/shard-of.ts';
import type { ShardState } from '../../../engine/plan/state/shard-state.ts';
import { systemClock } from '../../../engine/base/clock.ts';
import { LongLogs } from '../../../engine/shard/facts/long-durable-logs.ts';
import { createLog } from '../../../engine/base/log.ts';
import { connectionConfig } from '../../../engine/postgres/connect.ts';
import { loadFacts } from '../../../engine/shard/facts/load-facts.ts';
import { WakingEvents } from '../../../engine/shard/facts/waking-events.ts';
import type { Job } from '../../../engine/shard/job.ts';
import { JobPayloads } from '../../../engine/shard/job-payloads.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();

describe('crons in Postgres', () => {
  it('keep the last run and why the newest tick made none, for the next owner', async () => {
    const first = await OwnerWorld.start(database.url);
    const { tenantId } = first;
    await first.put();
    const version = first.owner.stateOf(tenantId)?.latestVersion(tenantId, 'single');
    if (version === undefined) throw new Error('the workflow is not there');
    const dueUs = Date.now() * 1000 + 3_600_000_000;
    const id = newId();
    await first.owner.submit({
      kind: 'putCron',
      tenantId,
      cron: {
        id,
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
      await first.owner.submit({ kind: 'fireTimer', tenantId, timer, ...tick });
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

  it('a schedule is looked for where an earlier try may have stored it, though it has run since', async () => {
    const world = await OwnerWorld.start(database.url);
    const { owner, tenantId } = world;
    await world.put();
    const workflowId = owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.workflowId ?? '';
    const schedule = {
      id: newId(),
      tenantId,
      workflowId,
      input: '{}',
      metadata: '{}',
      priority: null,
      parentTaskId: null,
      dueUs: 1,
    };
    await owner.submit({ kind: 'putSchedules', tenantId, schedules: [schedule] });
    const timer = owner.stateOf(tenantId)?.schedules.get(schedule.id);
    if (timer === undefined) throw new Error('the schedule is not there');
    await owner.submit({ kind: 'fireTimer', tenantId, timer, nextUs: 0, run: null, error: 'no' });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const stateOf = (): ShardState | undefined => owner.stateOf(tenantId);
    const longLogs = new LongLogs(connectionConfig(database.url, 'test'), createLog('silent'));
    const sources = { client, stateOf, clock: systemClock, longLogs, wakingEvents: new WakingEvents() };
    const command = { kind: 'putSchedules', tenantId, schedules: [schedule, { ...schedule, id: newId() }] } as const;
    const job: Job = {
      shard: shardOf(tenantId),
      tenantId,
      command,
      payloads: new JobPayloads(command),
      rows: 1,
      queuedAtMs: 0,
      mayBeDone: true,
      isFateUnknown: false,
      longLogs: [],
      run: () => () => undefined,
      reject: () => undefined,
    };
    const facts = await loadFacts(sources, [job]);
    expect([...(facts.get(job)?.storedIds ?? [])]).toEqual([schedule.id]);
    job.mayBeDone = false;
    expect((await loadFacts(sources, [job])).size).toBe(0);
    await Promise.all([client.end(), longLogs.close()]);
    await owner.stop();
  });
});
