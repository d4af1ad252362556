import type { ClientBase } from 'pg';
import { idsToProbe, type Job } from './job.ts';

const readExistingRuns = {
  name: 'existing_runs',
  text: `SELECT r.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

/**
 * Brings in what planning needs and memory does not hold. Runs on the lane's own connection, after the
 * previous commit and before the plan, so that nothing can change in between.
 */
export async function loadForPlan(client: ClientBase, jobs: readonly Job[]): Promise<void> {
  const ids = jobs.flatMap(idsToProbe);
  if (ids.length === 0) return;
  const { rows } = await client.query<{ id: string }>({ ...readExistingRuns, values: [ids] });
  for (const job of jobs) {
    if (job.command.kind !== 'trigger') continue;
    for (const row of rows) job.command.existing.add(row.id);
  }
}
