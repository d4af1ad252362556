/** What a person who looks at the runs asks for, by REST, as the dashboard does. */
import { dayMs } from '../../../engine/postgres/schema/day-partitions.ts';
import { readTokenClaims } from '../../../sdk/config/token-claims.ts';
import { median } from '../statistics.ts';
import { historyDays } from './history-rows.ts';

const page = { limit: '50', only_tasks: 'false', include_payloads: 'false' };
const questions = {
  newest: { path: 'workflow-runs', query: page },
  failed: { path: 'workflow-runs', query: { ...page, statuses: 'FAILED' } },
  running: { path: 'workflow-runs', query: { ...page, statuses: 'RUNNING' } },
  counts: { path: 'task-metrics', query: {} },
} as const;
export type Question = keyof typeof questions;

/** After one that is not counted: Postgres plans it, and reads what it has not in memory. */
const timesAsked = 10;
/** A slow one is asked fewer times. */
const askedForMs = 5_000;

/** @returns the median time until the answer has come whole, in ms, over all runs that are kept */
export async function timeLists(token: string): Promise<Record<Question, number>> {
  return {
    newest: await timeList(token, 'newest'),
    failed: await timeList(token, 'failed'),
    running: await timeList(token, 'running'),
    counts: await timeList(token, 'counts'),
  };
}

async function timeList(token: string, question: Question): Promise<number> {
  const claims = readTokenClaims(token);
  const { path, query } = questions[question];
  const url = new URL(`${claims?.apiUrl}/api/v1/stable/tenants/${claims?.tenantId}/${path}`);
  const since = new Date(Date.now() - (historyDays + 1) * dayMs).toISOString();
  url.search = new URLSearchParams({ ...query, since }).toString();
  const ask = async (): Promise<number> => {
    const askedAt = performance.now();
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${text}`);
    return performance.now() - askedAt;
  };
  const beganAt = performance.now();
  await ask();
  const took: number[] = [];
  while (took.length === 0 || (took.length < timesAsked && performance.now() < beganAt + askedForMs))
    took.push(await ask());
  return median(took);
}
