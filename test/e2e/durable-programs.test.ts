import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EntryKind, firstBranch, wholeNode } from '../../engine/model/durable/durable.ts';
import { RunStatus } from '../../engine/model/task/status.ts';
import type { DurableNode } from '../../engine/plan/durable/durable-log.ts';
import { readStoredLogs, StoredLog, visibleNodes } from '../../engine/shard/facts/stored-durable-logs.ts';
import { DurableFleet, type Blow } from '../helpers/durable-fleet.ts';
import { patient } from '../helpers/patient.ts';
import { randomFrom } from '../helpers/random.ts';
import { nameOf, nodeResult, readLog } from '../model/durable-oracle.ts';
import { sizeOf } from '../model/durable-program.ts';
import { durablePrograms, joined } from '../model/durable-programs.ts';
import { newestEndOf } from '../../engine/postgres/rows-of-a-run.ts';

/**
 * Random durable programs, run by our SDK in processes that are killed, cut off and stopped, on an engine and a Postgres
 * that are killed too; some runs are branched. What each run put out must be what its log, as Postgres has it in the end,
 * gives to an interpreter that reads it once. `DURABLE_PROGRAMS` is how many, `DURABLE_SEED` which; when what happens is the
 * machine's affair.
 */
const count = Number(process.env['DURABLE_PROGRAMS'] ?? 60);
const seed = Number(process.env['DURABLE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random = randomFrom(seed);
/** Milliseconds: many end together, and some outlast a worker's patience. */
const sleeps = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 100, max: 900 }));
const programs = fc.sample(joined(durablePrograms(sleeps)), { numRuns: count, seed });
const scopeOf = (index: number): string => `program ${index}`;

/** A deck for each 200 programs, shuffled, and dealt as the logs grow. */
const deck: readonly Blow[] = [
  ...Array.from({ length: 6 }, () => 'kill a worker' as const),
  ...Array.from({ length: 2 }, () => 'stop a worker' as const),
  ...Array.from({ length: 5 }, () => 'cut connections' as const),
  ...Array.from({ length: 4 }, () => 'lose answers' as const),
  ...Array.from({ length: 2 }, () => 'kill the engine' as const),
  'kill Postgres',
];

interface Seen extends Record<string, unknown> {
  ended: number;
  /** Operations and results in all logs. */
  rows: number;
  listens: { task: string; key: string }[];
}

const look = `
  SELECT
    (SELECT count(*)::integer FROM unnest($1::uuid[]) AS u (id) JOIN LATERAL ${newestEndOf('u.id')} n ON n.status <> 0) AS ended,
    (SELECT count(*)::integer FROM durable_entry) + (SELECT count(*)::integer FROM durable_result) AS rows,
    (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('task', task_id, 'key', event_key)), '[]') FROM durable_listen) AS listens`;

const ends = `SELECT status, output, error FROM result WHERE task_id = $1 ORDER BY generation DESC`;
const givenBy = `
  SELECT n.branch, n.node, n.payload, c.output FROM durable_result n
  JOIN durable_entry e USING (task_id, branch, node)
  LEFT JOIN result c ON c.task_id = e.child_run_id AND c.generation = n.generation
  WHERE n.task_id = $1 AND n.condition = ${wholeNode}`;
const childrenOf = `SELECT id FROM run WHERE parent_task_id = $1`;
const branchesOf = `SELECT count(*)::integer AS made FROM durable_entry WHERE kind = ${EntryKind.Branch} AND task_id = ANY($1::uuid[])`;
const journalOf = `SELECT coalesce(string_agg(kinds, ''), '') AS kinds FROM history WHERE task_id = ANY($1::uuid[])`;

let fleet: DurableFleet;
let runIds: string[] = [];

beforeAll(async () => {
  fleet = await DurableFleet.start(
    [
      { durableSlots: 12, ttl: '1ms' },
      { durableSlots: 8, ttl: '40ms' },
      { durableSlots: 3, ttl: '1m' },
    ],
    random,
  );
  const workflows = programs.map((program, index) => ({
    name: 'program',
    input: JSON.stringify({ program, scope: scopeOf(index) }),
    desiredWorkerLabels: {},
  }));
  const { workflows: service } = fleet.clients;
  // Refused until a worker has said what the name means.
  for (let from = 0; from < count; from += 500) {
    const { workflowRunIds } = await vi.waitFor(
      () => fleet.clients.call(service, service.bulkTriggerWorkflow, { workflows: workflows.slice(from, from + 500) }),
      { timeout: 60_000, interval: 100 },
    );
    runIds = [...runIds, ...workflowRunIds];
  }
});

afterAll(async () => {
  await fleet.stop();
});

function shuffled(cards: readonly Blow[]): Blow[] {
  return cards
    .map((card) => ({ card, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ card }) => card);
}

/** Some of the events that are waited for, and some that are not. Pushes that fail are made up for by later ones. */
async function pushSome(listens: Seen['listens'], serial: number): Promise<void> {
  const wanted = listens.filter(() => random() < 0.3).map(({ task, key }) => ({ key, index: runIds.indexOf(task) }));
  const chance = ['a', 'b'].map((key) => ({ key, index: Math.floor(random() * count) }));
  const events = [...wanted, ...chance].map(({ key, index }, n) => ({
    key,
    scope: scopeOf(index),
    payload: JSON.stringify({ serial, n }),
    eventTimestamp: new Date(),
  }));
  await fleet.clients.call(fleet.clients.events, fleet.clients.events.bulkPush, { events }).catch(() => undefined);
}

/** Starts a random run again from one of its first nodes, wherever it is, ended or not. One that has no such node stays as it is. */
async function branchOne(): Promise<void> {
  const request = {
    taskExternalId: runIds[Math.floor(random() * count)] ?? '',
    nodeId: BigInt(1 + Math.floor(random() * 4)),
    branchId: 0n,
  };
  await fleet.clients.call(fleet.clients.admin, fleet.clients.admin.branchDurableTask, request).catch(() => undefined);
}

/** Until all runs have ended: some are branched, events come, and the deck's blows, each after its part of the logs. */
async function untilEnded(): Promise<void> {
  const blows = Array.from({ length: Math.ceil(count / 200) }, () => shuffled(deck)).flat();
  const expectedRows = 1.3 * programs.reduce((sum, program) => sum + sizeOf(program), 0);
  const branches = Math.ceil(count / 5);
  let branched = 0;
  let dealt = 0;
  let serial = 0;
  await vi.waitFor(
    async () => {
      fleet.release();
      const [seen] = await fleet.query<Seen>(look, [runIds]);
      if (seen === undefined) throw new Error('no answer');
      await pushSome(seen.listens, serial++);
      if (seen.rows >= (expectedRows * (branched + 1)) / (branches + 1) && branched < branches) {
        branched++;
        await branchOne();
        throw new Error('a run may have begun again');
      }
      const blow = blows[dealt];
      if (blow !== undefined && seen.rows >= (expectedRows * (dealt + 1)) / (blows.length + 1)) {
        dealt++;
        await fleet.strike(blow);
      }
      if (seen.ended < count) throw new Error(`${seen.ended} of ${count} runs have ended`);
    },
    { timeout: 60_000 + count * 300, interval: 40 },
  );
}

function describeLog(nodes: readonly DurableNode[], given: ReadonlyMap<string, string>): string {
  return nodes
    .map(
      (node) =>
        `  ${node.node} of branch ${node.branch}: ${JSON.stringify(node.asked)} by invocation ${node.invocation} at ${node.askedSeq}${node.result === null ? '' : `, ${node.result.status} at ${node.result.seq}: ${given.get(`${node.branch} ${node.node}`)}`}`,
    )
    .join('\n');
}

/** Of a run that was branched, its newest branch. @returns its nodes */
async function check(index: number, notes: ReadonlyMap<string, string[][]>): Promise<number> {
  const runId = runIds[index] ?? '';
  const program = programs[index];
  if (program === undefined) throw new Error('no program');
  const stored = (await readStoredLogs(await fleet.connection(), [runId])).get(runId) ?? new StoredLog();
  const branch = stored.points.at(-1)?.branch ?? firstBranch;
  const nodes = visibleNodes(stored, branch);
  const rows = await fleet.query<{ branch: number; node: number; payload: string | null; output: string | null }>(
    givenBy,
    [runId],
  );
  const given = new Map(
    rows.map((row) => [`${row.branch} ${row.node}`, JSON.stringify(JSON.parse(row.payload ?? row.output ?? 'null'))]),
  );
  const noted = notes.get(runId) ?? [];
  const where = `seed ${seed}, program ${index}, run ${runId}:\n  ${JSON.stringify(program)}\nits log on branch ${branch}:\n${describeLog(nodes, given)}\nwhat its workers noted:\n${noted.map((words) => `  ${words.join(' ')}`).join('\n')}\n`;

  const results = await fleet.query<{ status: number; output: string | null; error: string | null }>(ends, [runId]);
  expect(results[0], where).toEqual({ status: RunStatus.Completed, output: expect.any(String), error: null });
  expect(
    noted.filter(([what]) => what === 'trouble'),
    where,
  ).toEqual([]);
  const read = await readLog(program, nodes, {
    answers: 'first',
    resultOf: (node) => nodeResult(nameOf(node), node.result?.status, given.get(`${node.branch} ${node.node}`) ?? ''),
  });
  expect(read, where).toEqual(JSON.parse(results[0]?.output ?? ''));

  const children = await fleet.query<{ id: string }>(childrenOf, [runId]);
  const spawned = stored.entries.flatMap((node) => node.childRunId ?? []);
  expect(new Set(spawned).size, where).toBe(spawned.length);
  expect(children.map(({ id }) => id).sort(), where).toEqual([...spawned].sort());

  for (const node of nodes.filter((each) => each.kind === EntryKind.Memo && each.result !== null)) {
    const calls = noted.filter(([what, , name]) => what === 'memo' && name === nameOf(node));
    expect(
      calls.map(([, , , value]) => value),
      where,
    ).toContain(given.get(`${node.branch} ${node.node}`));
    // After its commit its function never ran again. Both are this machine's clock, one in whole milliseconds.
    for (const [, , , , ranAtMs] of calls)
      expect(Number(ranAtMs), where).toBeLessThanOrEqual((node.result?.seq ?? 0) / 1000 + 1);
  }
  return nodes.length;
}

/** What is known of runs that do not end. */
async function unended(): Promise<string> {
  const stuck = (
    await fleet.query<{ task_id: string }>('SELECT task_id FROM live WHERE task_id = ANY($1::uuid[]) LIMIT 3', [runIds])
  ).map((row) => row.task_id);
  const logs = await readStoredLogs(await fleet.connection(), stuck);
  return stuck
    .map(
      (id) =>
        `run ${id}: ${JSON.stringify(programs[runIds.indexOf(id)])}\n${describeLog(logs.get(id)?.entries ?? [], new Map())}`,
    )
    .join('\n');
}

describe('random durable programs in our SDK', () => {
  it(
    'end with what their logs say, whoever dies, leaves or is cut off meanwhile',
    async () => {
      await untilEnded().catch(async (error: unknown) => {
        throw new Error(`seed ${seed}: ${String(error)}\n${await unended()}`);
      });
      const notes = new Map<string, string[][]>();
      for (const words of fleet.notes()) notes.set(words[1] ?? '', [...(notes.get(words[1] ?? '') ?? []), words]);
      const all = [...notes.values()].flat();
      let nodes = 0;
      for (const index of programs.keys()) nodes += await check(index, notes);
      const [journal] = await fleet.query<{ kinds: string }>(journalOf, [runIds]);
      const [branches] = await fleet.query<{ made: number }>(branchesOf, [runIds]);
      const kinds = journal?.kinds ?? '';
      const counts = {
        programs: count,
        nodes,
        branches: branches?.made ?? 0,
        invocations: all.filter(([what]) => what === 'start').length,
        evictions: kinds.split('I').length - 1,
        reassigned: kinds.split('G').length - 1,
        blows: Object.fromEntries(fleet.struck),
      };
      process.stdout.write(`durable programs, seed ${seed}: ${JSON.stringify(counts)}\n`);
      expect(Object.keys(counts.blows).sort()).toEqual([...new Set(deck)].sort());
      expect(Math.min(counts.evictions, counts.branches)).toBeGreaterThan(0);
      await vi.waitFor(
        async () => expect(await fleet.query('SELECT task_id FROM durable_listen', [])).toEqual([]),
        patient,
      );
    },
    600_000 + count * 500,
  );
});
