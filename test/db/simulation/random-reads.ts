import * as payloads from '../../../engine/monitor/payload-reads.ts';
import * as results from '../../../engine/monitor/durable/durable-results.ts';
import { endedResults } from '../../../engine/monitor/runs/run-end-waiters.ts';
import { writeBeats } from '../../../engine/writers/heartbeat-writer.ts';
import type { SqlQuery } from '../../../engine/postgres/sql-client.ts';
import { readTime } from '../../../engine/postgres/postgres-clock.ts';
import { readListeners } from '../../../engine/shard/facts/durable-event-waiters.ts';
import * as logs from '../../../engine/shard/facts/stored-durable-logs.ts';
import { readDeliveries } from '../../../engine/shard/facts/load-deliveries.ts';
import { readEnds } from '../../../engine/shard/facts/load-ends.ts';
import { readClaims } from '../../../engine/shard/facts/load-key-claims.ts';
import { readReusableChildren } from '../../../engine/shard/facts/reusable-children.ts';
import * as storedIds from '../../../engine/shard/facts/load-stored-ids.ts';
import * as replay from '../../../engine/shard/facts/load-stored-runs.ts';
import { readWakingEvent } from '../../../engine/shard/facts/waking-events.ts';
import * as long from '../../../engine/shard/facts/long-durable-logs.ts';
import { readEvents } from '../../../engine/shard/facts/look-back.ts';
import * as definitions from '../../../engine/shard/recovery/recover-definitions.ts';
import { readFilters } from '../../../engine/shard/recovery/recover-filters.ts';
import { readRateLimits } from '../../../engine/shard/recovery/recover-rate-limits.ts';
import * as durable from '../../../engine/shard/recovery/recover-durable.ts';
import { readRunTasks } from '../../../engine/shard/recovery/recover-runs.ts';
import { readLive } from '../../../engine/shard/recovery/recover-tasks.ts';
import * as timers from '../../../engine/shard/recovery/recover-timers.ts';
import { readWaits } from '../../../engine/shard/recovery/recover-waits.ts';
import { readWakings } from '../../../engine/shard/recovery/recover-wakings.ts';
import * as aside from '../../../engine/shard/recovery/set-aside.ts';
import * as contents from '../../../engine/shard/recovery/shard-contents.ts';
import { readPayloads } from '../../../engine/shard/fire-crons-and-schedules.ts';
import type { RandomRows } from './random-rows.ts';

const firstId = '00000000-0000-0000-0000-000000000000';

/** Every statement that the owner, the dispatcher and durable streams send outside of a lane's transaction, but for those about ownership, with random parameters. */
export function randomReads(random: RandomRows): SqlQuery[] {
  const of = <T>(list: readonly unknown[], value: () => T): T[] => list.map(() => value());
  const query = (statement: { name: string; text: string }, ...values: unknown[]): SqlQuery => ({
    ...statement,
    values,
  });
  const unnamed = (text: string, ...values: unknown[]): SqlQuery => ({ text, values });
  const tasks = random.ids('task');
  const places = tasks.flatMap((taskId) =>
    [1, 2].flatMap((branch) => [1, 2, 3].map((node) => ({ taskId, branch, node }))),
  );
  const runs = random.ids('run');
  const keys = random.ids('tenant');
  const asides = random.some(['task', 'cron', 'worker'], 3);
  return [
    unnamed(readTime),
    unnamed('SELECT 1'),
    unnamed(definitions.readVersions, random.tenants),
    unnamed(definitions.readPauses, random.tenants),
    unnamed(definitions.readWorkers, random.tenants),
    unnamed(definitions.readWorkersById, random.ids('worker')),
    unnamed(readRateLimits, random.tenants),
    unnamed(readFilters, random.tenants),
    unnamed(durable.readLinks, runs),
    unnamed(durable.readPoints, 0),
    unnamed(durable.readPoints, 1),
    unnamed(durable.readListening, random.ids('tenant')),
    unnamed(
      readRunTasks,
      runs,
      of(runs, () => 1 + random.below(3)),
    ),
    unnamed(readLive, random.below(2), random.pick([firstId, random.id('task')]), 1 + random.below(5)),
    unnamed(timers.readCrons, random.tenants),
    unnamed(timers.readSchedules, random.id('tenant'), random.pick([firstId, random.id('timer')]), 1 + random.below(3)),
    unnamed(readWaits, tasks),
    unnamed(readWakings, random.below(2), random.below(20), 1 + random.below(3)),
    query(readWakingEvent, random.id('event')),
    unnamed(
      aside.replaceRows.text,
      random.below(3),
      asides,
      of(asides, () => random.id('task')),
      of(asides, () => random.text()),
    ),
    unnamed(aside.deleteRows.text, [random.below(3)]),
    unnamed(contents.readTenants),
    unnamed(contents.countTasks),
    query(
      readDeliveries,
      [0, 1, 2],
      of([1, 2, 3], () => random.id('other')),
      of([1, 2, 3], () => random.id('event')),
      of([1, 2, 3], () => random.below(8)),
    ),
    query(readEnds, runs),
    query(
      readClaims,
      keys,
      of(keys, () => random.text()),
    ),
    query(storedIds.readRuns, runs),
    query(readReusableChildren, runs),
    query(storedIds.readEvents, random.ids('event')),
    query(storedIds.readSchedules, random.ids('timer')),
    query(replay.readRuns, random.id('tenant'), [...runs, ...tasks]),
    query(replay.readTasks, runs, '{"skipped": true}'),
    query(replay.readPayloads, runs),
    query(
      replay.readOutputs,
      tasks.flatMap((taskId) => [taskId, taskId, taskId, taskId]),
      tasks.flatMap(() => [1, 2, 3, null]),
    ),
    query(
      readEvents,
      random.id('tenant'),
      random.pick(['s', 's', 't']),
      random.pick(['k', 'k', 'l']),
      firstId,
      1 + random.below(3),
    ),
    query(
      logs.readEntries,
      tasks,
      tasks.map(() => 1 + random.below(3)),
      random.orNull(1 + random.below(4)),
    ),
    query(logs.readMet, tasks),
    query(logs.readPoints, tasks),
    unnamed(long.readPage, random.id('task'), random.below(3) - 1, random.below(4) - 1, 1 + random.below(3)),
    unnamed(long.readMet, random.id('task')),
    query(long.readNewEntries, random.id('task'), random.below(20)),
    query(long.readNewResults, random.id('task'), random.below(20)),
    query(
      readListeners,
      [0, 0, 2],
      [0, 1, 0],
      of([1, 2, 3], () => random.id('tenant')),
      of([1, 2, 3], () => random.pick(['k', 'l'])),
      of([1, 2, 3], () => random.pick(['', 's'])),
      of([1, 2, 3], () => random.orNull(random.guard())),
      of([1, 2, 3], () => random.guard()),
      of([1, 2, 3], () => random.pick([firstId, firstId, random.id('task')])),
      of([1, 2, 3], () => random.below(3)),
      of([1, 2, 3], () => random.below(3)),
      of([1, 2, 3], () => random.below(2)),
      random.pick(['9223372036854775807', '10']),
      1 + random.below(3),
      1 + random.below(5),
    ),
    query(
      results.readResults,
      places.map(({ taskId }) => taskId),
      places.map(({ branch }) => branch),
      places.map(({ node }) => node),
      random.pick([2, 2_000]),
    ),
    query(
      results.readChildren,
      runs,
      of(runs, () => 1 + random.below(3)),
      random.pick([1, 4, 2_000]),
    ),
    query(endedResults, random.tenants[runs.length % 2], [...new Set(runs)], 40 * (runs.length % 4), 20 * runs.length),
    query(payloads.runPayloads, runs),
    query(
      payloads.taskOutputs,
      tasks,
      of(tasks, () => 1 + random.below(3)),
    ),
    query(
      payloads.taskErrors,
      tasks,
      of(tasks, () => 1 + random.below(3)),
    ),
    query(
      payloads.taskInputs,
      tasks,
      of(tasks, () => 1 + random.below(2)),
    ),
    query(readPayloads, random.ids('timer')),
    query(writeBeats, [random.id('worker')], [random.below(100_000) / 10]),
  ];
}
