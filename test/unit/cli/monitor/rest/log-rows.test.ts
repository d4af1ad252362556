import { describe, expect, it } from 'vitest';
import { followLogs, readLogs } from '../../../../../cli/monitor/rest/log-rows.ts';
import type { RestClient } from '../../../../../cli/monitor/rest/rest-client.ts';
import { RunReads } from '../../../../../cli/monitor/rest/run-reads.ts';

const startMs = Date.parse('2030-01-01T00:00:00Z');

interface Line {
  us: number;
  message: string;
}

interface World {
  lines: Line[];
  /** A cluster gives lines after `since`, ours those of it too. */
  isCluster: boolean;
  status: 'RUNNING' | 'COMPLETED';
  asked: number;
}

function timeText(us: number): string {
  return `${new Date(startMs + Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
}

function clientOf(world: World): Pick<RestClient, 'get'> {
  const run = (): object => ({
    metadata: { id: 'run', createdAt: timeText(0) },
    status: world.status,
    displayName: 'order-1795946199168',
  });
  return {
    get: (path, given) => {
      const query = given ?? {};
      if (!path.endsWith('/logs'))
        return Promise.resolve(
          JSON.parse(
            JSON.stringify({
              run: run(),
              tasks: [{ ...run(), taskExternalId: 'run', workflowRunExternalId: 'run', workflowName: 'order' }],
              taskEvents: [],
              shape: [],
            }),
          ),
        );
      world.asked++;
      const sinceUs =
        typeof query['since'] === 'string' ? (Date.parse(query['since']) - startMs) * 1000 : Number.NEGATIVE_INFINITY;
      const fitting = world.lines
        .filter(({ us }) => (world.isCluster ? us > sinceUs : us >= sinceUs))
        .sort((a, b) => a.us - b.us);
      const rows = (query['order_by_direction'] === 'DESC' ? fitting.reverse() : fitting).slice(
        0,
        Number(query['limit']),
      );
      return Promise.resolve(
        JSON.parse(
          JSON.stringify({
            rows: rows.map(({ us, message }) => ({ createdAt: timeText(us), message, level: 'INFO', retryCount: 0 })),
          }),
        ),
      );
    },
  };
}

describe.each([true, false])('log lines over REST, of a cluster: %s', (isCluster) => {
  it('are read over several answers, each once, also those of one moment', async () => {
    const lines = Array.from({ length: 2_600 }, (_, number) => ({
      us: Math.floor(number / 7) * 1_000,
      message: `line ${number}`,
    }));
    const rows = await readLogs(
      clientOf({ lines, isCluster, status: 'COMPLETED', asked: 0 }),
      [{ taskId: 'run', name: 'order' }],
      { limit: 2_500 },
    );
    expect(rows.map((row) => row.message)).toEqual(lines.slice(0, 2_500).map((line) => line.message));
    expect(new Set(rows.map((row) => row.cursor)).size).toBe(2_500);
    const last = await readLogs(
      clientOf({ lines, isCluster, status: 'COMPLETED', asked: 0 }),
      [{ taskId: 'run', name: 'order' }],
      { limit: 3, newest: true },
    );
    expect(last.map((row) => row.message).sort()).toEqual(['line 2597', 'line 2598', 'line 2599']);
  });

  it('are followed to the end, equal ones too, and one that was stored late', async () => {
    const world: World = {
      lines: [
        { us: 1_000, message: 'a' },
        { us: 1_000, message: 'a' },
        { us: 5_000, message: 'b' },
      ],
      isCluster,
      status: 'RUNNING',
      asked: 0,
    };
    const client = clientOf(world);
    const told: string[] = [];
    for await (const rows of followLogs({
      client,
      reads: new RunReads(client),
      id: 'run',
      after: undefined,
      signal: new AbortController().signal,
    })) {
      told.push(...rows.map((row) => row.message));
      if (told.length === 3) world.lines.push({ us: 4_000, message: 'late' }, { us: 9_000, message: 'a' });
      else world.status = 'COMPLETED';
    }
    expect(told).toEqual(['a', 'a', 'b', 'late', 'a']);
  });
});
