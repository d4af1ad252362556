import type { Pool } from 'pg';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { NodeResult } from '../../../engine/monitor/durable/durable-results.ts';
import { NodeResults } from '../../../engine/monitor/durable/node-results.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const memo = 3;
const completed = 3;

const database = databaseFixture();
let pool: Pool;

beforeAll(() => void ({ pool } = database));

/** Memos of a new task. @param payloads by node, from 1 on; null for one that is open */
async function writeMemos(
  payloads: readonly (string | null)[],
  { taskId = String(newId()), branch = 1 } = {},
): Promise<string> {
  const nodes = payloads.map((_, index) => index + 1);
  await pool.query(
    `INSERT INTO durable_entry (task_id, branch, node, kind, fingerprint, asked, invocation, seq) SELECT $1, $2, n, ${memo}, 'f', '{}', 1, n FROM unnest($3::integer[]) AS n`,
    [taskId, branch, nodes],
  );
  await satisfy(
    taskId,
    branch,
    payloads.flatMap((payload, index) => (payload === null ? [] : [{ node: index + 1, payload }])),
  );
  return taskId;
}

async function satisfy(
  taskId: string,
  branch: number,
  results: readonly { node: number; payload: string }[],
): Promise<void> {
  await pool.query(
    `INSERT INTO durable_result (task_id, branch, node, condition, seq, status, payload) SELECT $1, $2, n, -1, 1000 + n, ${completed}, p FROM unnest($3::integer[], $4::text[]) AS u (n, p)`,
    [taskId, branch, results.map(({ node }) => node), results.map(({ payload }) => payload)],
  );
}

async function readAll(results: NodeResults, taskId: string, nodes: number): Promise<(string | null)[]> {
  const outputs: (string | null)[] = [];
  for (let node = 1; node <= nodes; node++) outputs.push((await results.read({ taskId, branch: 1, node })).output);
  return outputs;
}

function asked(query: { mock: { calls: unknown[][] } }): number {
  return query.mock.calls.length;
}

describe('the results of nodes', () => {
  it('come from Postgres by the hundred, where they are asked for one after the other', async () => {
    const payloads = Array.from({ length: 350 }, (_, index) => JSON.stringify({ index }));
    const taskId = await writeMemos(payloads);
    const query = vi.spyOn(pool, 'query');
    expect(await readAll(new NodeResults(pool), taskId, 350)).toEqual(payloads);
    expect(asked(query)).toBeLessThanOrEqual(8);
    query.mockRestore();
  });

  it('are whole, however long, and those of the branch that is asked for', async () => {
    const payloads = ['"a"', `"${'b'.repeat(10_000)}"`, '"c"', `"${'é'.repeat(4_094)}"`, `"${'d'.repeat(4_095)}"`];
    const taskId = await writeMemos(payloads);
    await writeMemos(['"other"', '"branch"'], { taskId, branch: 2 });
    const results = new NodeResults(pool);
    expect(await readAll(results, taskId, 5)).toEqual(payloads);
    expect((await results.read({ taskId, branch: 2, node: 2 })).output).toBe('"branch"');
    // Twice, and all at once.
    expect(
      await Promise.all(
        [1, 2, 3, 4, 5, 2].map(async (node) => (await results.read({ taskId, branch: 1, node })).output),
      ),
    ).toEqual([...payloads, payloads[1]]);
  });

  it('are there though they came after the read of what lay before them', async () => {
    const taskId = await writeMemos(['1', null, '3']);
    const results = new NodeResults(pool);
    expect((await results.read({ taskId, branch: 1, node: 1 })).output).toBe('1');
    await satisfy(taskId, 1, [{ node: 2, payload: '2' }]);
    expect((await results.read({ taskId, branch: 1, node: 2 })).output).toBe('2');
    expect((await results.read({ taskId, branch: 1, node: 3 })).output).toBe('3');
  });

  it("of many tasks at once are each task's own", async () => {
    const tasks = await Promise.all(
      Array.from({ length: 80 }, async (_, index) => await writeMemos([`"${index} 1"`, `"${index} 2"`])),
    );
    const results = new NodeResults(pool);
    for (const node of [1, 2]) {
      const found = await Promise.all(
        tasks.map(async (taskId): Promise<NodeResult> => await results.read({ taskId, branch: 1, node })),
      );
      expect(found.map(({ output }) => output)).toEqual(tasks.map((_, index) => `"${index} ${node}"`));
    }
  });

  it('fail where Postgres does, and come once it is back', async () => {
    const taskId = await writeMemos(['1', '2']);
    const broken = vi.spyOn(pool, 'query').mockImplementation(() => {
      throw new Error('away');
    });
    const results = new NodeResults(pool);
    await expect(results.read({ taskId, branch: 1, node: 1 })).rejects.toThrow('away');
    broken.mockRestore();
    expect(await readAll(results, taskId, 2)).toEqual(['1', '2']);
  });
});
