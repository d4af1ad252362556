import type { ClientBase } from 'pg';
import type { Clock } from '../base/clock.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { evaluateHeavy } from './evaluate-heavy.ts';
import { loadKeyClaims } from './load-key-claims.ts';
import { loadDeliveries } from './load-deliveries.ts';
import { loadReplays } from './load-replays.ts';
import { loadDurable } from './load-durable.ts';
import { earlierChildren, eventIdsToProbe, idsToProbe, type Job } from './job.ts';

const readExistingRuns = {
  name: 'existing_runs',
  text: `SELECT r.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

/** Those that a retried parent gets again: neither FAILED (4) nor CANCELLED (5) in their newest generation. */
const readReusableChildren = {
  name: 'reusable_children',
  text: `
    SELECT r.id FROM unnest($1::uuid[]) AS u (id)
    JOIN run r ON r.id = u.id
    LEFT JOIN LATERAL (SELECT e.status FROM run_end e WHERE e.run_id = r.id ORDER BY e.generation DESC LIMIT 1) e ON true
    WHERE e.status IS NULL OR e.status NOT IN (4, 5)`,
};

const readExistingEvents = {
  name: 'existing_events',
  text: `SELECT e.id FROM unnest($1::uuid[]) AS u (id) JOIN event e ON e.id = u.id`,
};

export interface LoadSources {
  client: ClientBase;
  stateOf: (shard: number) => ShardState | undefined;
  clock: Clock;
}

/**
 * Brings in what planning needs and memory does not hold. Runs on the lane's own connection, after the
 * previous commit and before the plan, so that nothing can change in between. A job whose expressions are not complete
 * after it is not to be planned.
 */
export async function loadForPlan(sources: LoadSources, jobs: readonly Job[]): Promise<void> {
  await loadDurable(sources, jobs);
  evaluateHeavy(sources.stateOf, jobs);
  await loadReplays(sources, jobs);
  await loadKeyClaims(sources, jobs);
  await loadDeliveries(sources.client, jobs);
  await probe(sources.client, readExistingRuns, { jobs, ids: jobs.flatMap(idsToProbe) });
  await probe(sources.client, readReusableChildren, { jobs, ids: jobs.flatMap(earlierChildren) });
  await probe(sources.client, readExistingEvents, { jobs, ids: jobs.flatMap(eventIdsToProbe) });
}

async function probe(
  client: ClientBase,
  query: { name: string; text: string },
  { jobs, ids }: { jobs: readonly Job[]; ids: readonly string[] },
): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await client.query<{ id: string }>({ ...query, values: [ids] });
  for (const { command } of jobs) {
    if (command.kind === 'trigger' || command.kind === 'pushEvent' || command.kind === 'fireTimer')
      for (const row of rows) command.existing.add(row.id);
  }
}
