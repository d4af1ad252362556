import type { ClientBase } from 'pg';
import { dayOf, dayTables, partitionName } from './day-partitions.ts';
import { ddl, partitionsOf, patiently, underMaintenanceLock } from './partition-ddl.ts';

const daysAhead = 3;
const lockMs = 200;

/**
 * Makes the partitions from yesterday to three days ahead. Each is made apart and attached with its bounds already proven,
 * which takes no lock that an insert would wait for [CREATE … PARTITION OF stalled inserts 1.8 s behind a reader].
 * @returns the names of the new ones
 */
export async function preparePartitions(client: ClientBase, nowMs: number): Promise<string[]> {
  const today = dayOf(nowMs);
  return underMaintenanceLock(client, async () => {
    const made: string[] = [];
    for (const table of dayTables) {
      const partitions = await partitionsOf(client, table);
      // A clock that went back may ask for days that are gone; what is left of them is in the old partition.
      const first = Math.max(
        today - 1,
        ...partitions.filter((partition) => partition.old && partition.attached).map((partition) => partition.day),
      );
      for (let day = first; day <= today + daysAhead; day++) {
        const name = partitionName(table.name, day);
        if (partitions.some((partition) => partition.name === name && partition.attached)) continue;
        await client.query(ddl.createDay(table, day));
        await patiently(client, { lockMs }, () => client.query(ddl.attachDay(table, day)));
        made.push(name);
      }
    }
    return made;
  });
}
