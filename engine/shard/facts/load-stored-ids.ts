import type { Sql } from '../../postgres/sql-client.ts';
import { noFacts } from '../../plan/commands/loaded-facts.ts';
import type { Asking } from './command-needs.ts';
import { readReusableChildren } from './reusable-children.ts';

export const readRuns = {
  name: 'existing_runs',
  text: `SELECT r.id FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id`,
};

export const readEvents = {
  name: 'existing_events',
  text: `SELECT e.id FROM unnest($1::uuid[]) AS u (id) JOIN event e ON e.id = u.id`,
};

export const readSchedules = {
  name: 'existing_schedules',
  text: `SELECT s.id FROM unnest($1::uuid[]) AS u (id) JOIN schedule s ON s.id = u.id`,
};

/** Of the runs, events and schedules that may exist already, those that do. */
export async function loadStoredIds(client: Sql, asking: readonly Asking[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const find = async (query: { name: string; text: string }, ids: readonly string[]): Promise<void> => {
    if (ids.length === 0) return;
    const { rows } = await client.query<{ id: string }>({ ...query, values: [ids] });
    for (const { id } of rows) found.add(id);
  };
  await find(
    readRuns,
    asking.flatMap(({ needs }) => needs.runIds ?? []),
  );
  await find(
    readReusableChildren,
    asking.flatMap(({ needs }) => needs.reusableRunIds ?? []),
  );
  await find(
    readEvents,
    asking.flatMap(({ needs }) => needs.eventIds ?? []),
  );
  await find(
    readSchedules,
    asking.flatMap(({ needs }) => needs.scheduleIds ?? []),
  );
  return found.size === 0 ? noFacts.storedIds : found;
}
