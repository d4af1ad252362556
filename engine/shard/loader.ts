import type { ClientBase } from 'pg';
import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { ShardState } from '../plan/shard-state.ts';
import { evaluateHeavy } from './evaluate-heavy.ts';
import { idsToProbe, type Job } from './job.ts';

const readExistingRuns = {
  name: 'existing_runs',
  text: `SELECT r.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

export interface LoadSources {
  client: ClientBase;
  cel: CelEvaluator;
  stateOf: (shard: number) => ShardState | undefined;
}

/**
 * Brings in what planning needs and memory does not hold. Runs on the lane's own connection, after the
 * previous commit and before the plan, so that nothing can change in between.
 */
export async function loadForPlan(sources: LoadSources, jobs: readonly Job[]): Promise<void> {
  await evaluateHeavy(sources, jobs);
  const ids = jobs.flatMap(idsToProbe);
  if (ids.length === 0) return;
  const { rows } = await sources.client.query<{ id: string }>({ ...readExistingRuns, values: [ids] });
  for (const job of jobs) {
    if (job.command.kind !== 'trigger') continue;
    for (const row of rows) job.command.existing.add(row.id);
  }
}
