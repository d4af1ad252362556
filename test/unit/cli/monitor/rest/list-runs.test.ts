import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listRunShapes } from '../../../../../cli/monitor/rest/list-runs.ts';
import type { RestClient } from '../../../../../cli/monitor/rest/rest-client.ts';
import type { RunShape } from '../../../../../cli/monitor/rest/rest-shapes.ts';

const startMs = Date.parse('2030-01-01T00:00:00Z');

/** Times as a cluster writes them: of microseconds. */
function made(number: number, us: number, change: Partial<RunShape> = {}): RunShape {
  const id = `run-${number}`;
  const createdAt = `${new Date(startMs + Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
  return {
    metadata: { id, createdAt },
    status: 'QUEUED',
    displayName: `order-${startMs}`,
    taskExternalId: id,
    workflowRunExternalId: id,
    workflowName: 'order',
    ...change,
  };
}

interface Engine {
  runs: RunShape[];
  /** A cluster's `until` is reached, ours is not. */
  isCluster: boolean;
  asked: number;
}

/** A list as both engines page it: by a number of rows that are left out. */
function clientOf(engine: Engine): Pick<RestClient, 'get'> {
  return {
    get: (_path, given) => {
      const query = given ?? {};
      engine.asked++;
      const until = typeof query['until'] === 'string' ? query['until'] : undefined;
      const statuses = Array.isArray(query['statuses']) ? query['statuses'] : [];
      const fitting = engine.runs
        .filter((run) => statuses.length === 0 || statuses.includes(run.status))
        .filter(
          (run) =>
            until === undefined ||
            (engine.isCluster
              ? sortKey(run.metadata.createdAt) <= sortKey(until)
              : Date.parse(run.metadata.createdAt) < Date.parse(until)),
        )
        .sort(
          (a, b) =>
            compare(sortKey(b.metadata.createdAt), sortKey(a.metadata.createdAt)) ||
            compare(b.metadata.id, a.metadata.id),
        );
      const offset = Number(query['offset'] ?? 0);
      return Promise.resolve(
        JSON.parse(JSON.stringify({ rows: fitting.slice(offset, offset + Number(query['limit'])) })),
      );
    },
  };
}

/** To the microsecond. */
function sortKey(time: string): string {
  return time.replace('Z', '').padEnd(26, '0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function pages(engine: Engine, limit: number, between: () => void = () => undefined): Promise<string[]> {
  const client = clientOf(engine);
  const ids: string[] = [];
  for (let page: string | null | undefined; page !== null;) {
    const read = await listRunShapes(client, { limit, statuses: ['QUEUED'], ...(page === undefined ? {} : { page }) });
    expect(read.rows.length).toBeLessThanOrEqual(limit);
    ids.push(...read.rows.map((run) => run.metadata.id));
    page = read.next;
    between();
  }
  return ids;
}

describe('pages of runs over REST', () => {
  it('hold every run once, newest first, however many share a moment, on either engine', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 6_000 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (times, limit, isCluster) => {
          const runs = times.map((us, number) => made(number, isCluster ? us : us - (us % 1000)));
          const ids = await pages({ runs, isCluster, asked: 0 }, limit);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids).toHaveLength(runs.length);
          const byId = new Map(runs.map((run) => [run.metadata.id, run.metadata.createdAt]));
          const created = ids.map((id) => byId.get(id) ?? '');
          expect(created).toEqual([...created].sort().reverse());
        },
      ),
      { numRuns: 200 },
    );
  });

  it('miss none and repeat none while new ones come and others leave the list', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (count, limit, isCluster) => {
          // A moment for each: of one moment, what leaves moves the others of it.
          const engine: Engine = {
            runs: Array.from({ length: count }, (_, number) => made(number, number * 1_000)),
            isCluster,
            asked: 0,
          };
          const stay = engine.runs.filter((_, number) => number % 3 !== 0).map((run) => run.metadata.id);
          let later = count;
          const ids = await pages(engine, limit, () => {
            engine.runs.push(made(later, later * 1_000 + 500));
            later++;
            const leaves = engine.runs.find((run) => run.status === 'QUEUED' && !stay.includes(run.metadata.id));
            if (leaves !== undefined) leaves.status = 'COMPLETED';
          });
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.filter((id) => stay.includes(id))).toEqual([...stay].reverse());
        },
      ),
      { numRuns: 200 },
    );
  });

  it('ask for more at once where much is left out, and refuse what is no page', async () => {
    const engine: Engine = {
      runs: Array.from({ length: 2_500 }, (_, number) => made(number, 0, number === 7 ? { workflowName: 'rare' } : {})),
      isCluster: true,
      asked: 0,
    };
    expect(
      (await listRunShapes(clientOf(engine), { search: 'RARE', limit: 5 })).rows.map((run) => run.metadata.id),
    ).toEqual(['run-7']);
    expect(engine.asked).toBeLessThanOrEqual(4);
    await expect(listRunShapes(clientOf(engine), { page: 'later' })).rejects.toThrow('"later" is no page of this list');
  });
});
