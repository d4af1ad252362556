import fc from 'fast-check';
import { type Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { runDetailsIn, type RunDetail } from '../../../engine/monitor/runs/run-detail.ts';
import { listRunSummaries } from '../../../engine/monitor/runs/run-list.ts';
import { RunEndWaiters, type TaskResult } from '../../../engine/monitor/runs/run-end-waiters.ts';
import { readChunks } from '../../../engine/monitor/lines/stream-reads.ts';
import { emptyFilter } from '../../../engine/grpc/runs/run-filter.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let world: OwnerWorld;
let pool: Pool;
let sql: Client;

beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
  await world.put();
  await world.register();
  ({ pool, client: sql } = database);
});

afterAll(() => world.owner.stop());

interface Sizes {
  input: number;
  output: number;
}

/** JSON texts of so many bytes. */
const json = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));

/** Runs that have ended, oldest first. */
async function ended(sizes: readonly Sizes[]): Promise<string[]> {
  const ids: string[] = [];
  for (const { input, output } of sizes) {
    const id = await world.trigger();
    await world.complete(id, 0, json(output));
    await sql.query('UPDATE run SET input = $2 WHERE id = $1', [id, json(input)]);
    ids.push(id);
  }
  return ids;
}

function shown({ input, inputLeftOut, tasks }: RunDetail): {
  input: number;
  output: number;
  leftOut: [number, number];
} {
  const [task] = tasks;
  return {
    input: inputLeftOut > 0 ? 0 : input.length,
    output: task?.output?.length ?? 0,
    leftOut: [inputLeftOut, task?.outputLeftOut ?? 0],
  };
}

describe('payloads of a page', () => {
  it('are what fits: inputs before outputs, small ones before large ones, else in its order; the rest is marked with its size', async () => {
    const sizes = [100, 5000, 4000, 9000, 3000, 20_000].map((bytes, index) => ({
      input: bytes,
      output: index % 2 === 0 ? 50 : 6000,
    }));
    const ids = await ended(sizes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70_000 }), fc.shuffledSubarray(ids), async (bytes, page) => {
        const details = await runDetailsIn(pool, world.tenantId, page, { bytes, data: true });
        expect(details.map((detail) => detail.id)).toEqual(page);
        const asked = page.map((id) => sizes[ids.indexOf(id)] ?? expect.unreachable());
        let left = bytes - details.reduce((sum, detail) => sum + detail.metadata.length, 0);
        const fitting = (field: keyof Sizes): boolean[] => {
          const order = asked
            .map((_, place) => place)
            .sort((a, b) => Number((asked[a]?.[field] ?? 0) > 4096) - Number((asked[b]?.[field] ?? 0) > 4096) || a - b);
          let sum = 0;
          const fits = new Map(order.map((place) => [place, (sum += asked[place]?.[field] ?? 0) <= left]));
          left -= asked.reduce((total, each, place) => total + (fits.get(place) === true ? each[field] : 0), 0);
          return asked.map((_, place) => fits.get(place) ?? false);
        };
        if (left < 0) return; // metadata alone are more
        const [inputs, outputs] = [fitting('input'), fitting('output')];
        expect(details.map(shown)).toEqual(
          asked.map(({ input, output }, place) => ({
            input: inputs[place] === true ? input : 0,
            output: outputs[place] === true ? output : 0,
            leftOut: [inputs[place] === true ? 0 : input, outputs[place] === true ? 0 : output],
          })),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("are the one task's that is asked for, and none where none are wanted", async () => {
    const [id] = await ended([{ input: 100, output: 5000 }]);
    const [none] = await runDetailsIn(pool, world.tenantId, [id ?? ''], { bytes: 0, data: false });
    expect(none?.tasks[0]).toMatchObject({ output: null, outputLeftOut: 0, error: null });
    const [other] = await runDetailsIn(pool, world.tenantId, [id ?? ''], {
      bytes: 1_000_000,
      data: true,
      taskId: newId(),
    });
    expect(other?.tasks[0]).toMatchObject({ output: null, outputLeftOut: 0 });
    const [own] = await runDetailsIn(pool, world.tenantId, [id ?? ''], {
      bytes: 1_000_000,
      data: true,
      taskId: id ?? '',
    });
    expect(own?.tasks[0]?.output).toHaveLength(5000);
  });

  it('are metadata and errors in lists without others', async () => {
    const ids = await ended([1, 2, 3].map(() => ({ input: 100, output: 50 })));
    for (const id of ids)
      await sql.query('UPDATE run SET metadata = jsonb_build_object($2::text, $3::text) WHERE id = $1', [
        id,
        'text',
        'x'.repeat(9000),
      ]);
    const list = async (payloadBytes?: number) =>
      (
        await listRunSummaries(pool, {
          ...emptyFilter(world.tenantId),
          limit: 3,
          ...(payloadBytes === undefined ? {} : { payloadBytes }),
        })
      ).map((row) => [row.metadata.length > 9000, row.metadataLeftOut > 9000]);
    expect(await list(20_000)).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
    expect(await list()).toEqual([
      [false, false],
      [false, false],
      [false, false],
    ]);
  });
});

describe('results that are read for those who wait', () => {
  it('come in pieces, each run with all of its results, or with none where these are too large for a subscription', async () => {
    const mebibyte = 1024 * 1024;
    const ids = await ended([
      ...Array.from({ length: 24 }, () => ({ input: 10, output: mebibyte })),
      { input: 10, output: 4 * mebibyte },
    ]);
    const reads: number[] = [];
    const counting = new Pool({ connectionString: database.url });
    const watched = new Proxy(counting, {
      get: (target, name) =>
        name !== 'query'
          ? Reflect.get(target, name)
          : async (query: { name: string; text: string; values: unknown[] }) => {
              const answer = await target.query<{ output: string | null }>(query);
              reads.push(answer.rows.reduce((sum, row) => sum + (row.output?.length ?? 0), 0));
              return answer;
            },
    });
    const results = new RunEndWaiters({ pool: watched, log: createLog('silent'), isLive: () => false });
    const told = await Promise.all(
      ids.map((id) => new Promise<readonly TaskResult[]>((resolve) => results.wait(world.tenantId, id, resolve))),
    );
    await counting.end();
    expect(told.map((each) => each[0]?.output?.length ?? each.length)).toEqual([
      ...Array.from({ length: 24 }, () => mebibyte),
      0,
    ]);
    expect(Math.max(...reads)).toBeLessThanOrEqual(16 * mebibyte);
    expect(reads.length).toBe(2);
  });
});

describe('pages that end by their size', () => {
  it('hold at least one chunk of a stream, and say that there are more', async () => {
    const runId = await world.trigger();
    for (const [number, bytes] of [400, 400, 5000, 10].entries())
      await sql.query(
        'INSERT INTO stream_chunk (run_id, task_id, attempt, number, tenant_id, chunk) VALUES ($1, $1, 0, $2, $3, $4)',
        [runId, number, world.tenantId, Buffer.alloc(bytes)],
      );
    const pages: number[][] = [];
    for (let afterId = '0'; ;) {
      const { chunks, more } = await readChunks(pool, {
        tenantId: world.tenantId,
        runId,
        afterId,
        limit: 100,
        bytes: 1000,
      });
      pages.push(chunks.map((chunk) => chunk.chunk.length));
      if (!more) break;
      afterId = chunks.at(-1)?.id ?? afterId;
    }
    expect(pages).toEqual([[400, 400], [5000], [10]]);
  });
});
