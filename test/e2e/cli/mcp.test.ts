import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { cleanEnv, hatchetBin } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('mcp');
const clients: Client[] = [];
let reading: Client;
let changing: Client;
let failedId = '';
let orderId = '';

/** As a coding agent starts it. */
async function agent(...flags: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [hatchetBin, 'mcp', '--data-dir', fixture.dataDir, ...flags],
      env: cleanEnv(),
      cwd: '/',
    }),
  );
  return client;
}

function isRunning(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const [first] = content;
  if (first?.type !== 'text') throw new Error('the answer is no text');
  if (isError === true) throw new Error(first.text);
  return JSON.parse(first.text);
}

beforeAll(async () => {
  const { hatchet } = fixture;
  const order = hatchet.task({
    name: 'order',
    inputValidator: z.object({ id: z.number() }),
    fn: async ({ id }: { id: number }, ctx) => {
      await ctx.logger.info(`order ${id} is packed`);
      return { packed: id, note: 'n'.repeat(10_000) };
    },
  });
  const broken = hatchet.task({
    name: 'broken',
    fn: () => {
      throw new Error('the printer is on fire');
    },
  });
  await fixture.serve('mcp', { workflows: [order, broken] });
  orderId = await (await order.runNoWait({ id: 7 })).runId;
  failedId = await (await broken.runNoWait({})).runId;
  [reading, changing] = await Promise.all([agent(), agent('--allow-changes')]);
});

afterAll(() => Promise.all(clients.map((client) => client.close())));

describe('hatchet mcp', () => {
  it('offers tools that read, and others only where they are allowed', async () => {
    const names = async (client: Client): Promise<string[]> => {
      const { tools } = await client.listTools();
      for (const { name, annotations } of tools)
        expect([name, annotations?.readOnlyHint]).toEqual([name, !/^(trigger|replay|cancel)/.test(name)]);
      return tools.map(({ name }) => name);
    };
    const read = await names(reading);
    expect(read).toEqual([
      'list_runs',
      'get_run',
      'why_run',
      'run_events',
      'run_logs',
      'get_durable_log',
      'list_workflows',
      'get_workflow',
      'list_workers',
      'list_queues',
      'list_schedules',
    ]);
    expect(await names(changing)).toEqual([...read, 'trigger_workflow', 'replay_runs', 'cancel_runs']);
    await expect(call(reading, 'cancel_runs', { run_ids: [orderId] })).rejects.toThrow();
  });

  it('finds a failed run, and says why it failed', async () => {
    await expect
      .poll(() => call(reading, 'list_runs', { query: 'status:failed since:1h' }))
      .toMatchObject({ rows: [{ runId: failedId, workflow: 'broken', errorMessage: 'the printer is on fire' }] });
    expect(await call(reading, 'get_run', { run_id: failedId })).toMatchObject({
      status: 'FAILED',
      tasks: [{ name: 'broken', errorMessage: 'the printer is on fire' }],
    });
    expect(await call(reading, 'run_events', { run_id: failedId })).toMatchObject({
      rows: expect.arrayContaining([expect.objectContaining({ type: 'FAILED' })]),
    });
    await expect(call(reading, 'list_runs', { query: 'status:odd' })).rejects.toThrow('status:odd means nothing');
    await expect(call(reading, 'get_run', { run_id: crypto.randomUUID() })).rejects.toThrow(
      /error: there is no run .*hatchet runs list/,
    );
  });

  it('gives outputs and logs, and the beginning of what is long', async () => {
    await expect.poll(() => call(reading, 'get_run', { run_id: orderId })).toMatchObject({ status: 'COMPLETED' });
    expect(await call(reading, 'get_run', { run_id: orderId, max_chars: 100 })).toMatchObject({
      input: { id: 7 },
      output: { cutFrom: expect.any(Number), begins: expect.stringMatching(/^\{"packed":7,"note":"n+$/) },
    });
    expect(await call(reading, 'get_run', { run_id: orderId, max_chars: 20_000 })).toMatchObject({
      output: { packed: 7, note: 'n'.repeat(10_000) },
    });
    expect(await call(reading, 'run_logs', { run_id: orderId, levels: ['INFO'] })).toMatchObject({
      lines: [{ level: 'INFO', message: 'order 7 is packed' }],
    });
  });

  it('shows workflows, workers, queues and schedules', async () => {
    expect(await call(reading, 'get_workflow', { name: 'order' })).toMatchObject({
      workflow: { name: 'order' },
      inputJsonSchema: { properties: { id: { type: 'number' } } },
    });
    expect(await call(reading, 'list_workflows')).toMatchObject({
      workflows: expect.arrayContaining([expect.objectContaining({ name: 'broken' })]),
    });
    expect(await call(reading, 'list_workers')).toMatchObject({ workers: [{ name: 'mcp' }] });
    expect(await call(reading, 'list_queues')).toMatchObject({
      queues: expect.arrayContaining([expect.objectContaining({ action: 'order:order' })]),
    });
    expect(await call(reading, 'list_schedules')).toMatchObject({ crons: [], schedules: [] });
  });

  it('triggers, cancels and replays, and refuses what cannot be', async () => {
    await expect(call(changing, 'trigger_workflow', { workflow: 'order', input: { id: 'seven' } })).rejects.toThrow(
      /id/,
    );
    await expect(call(changing, 'trigger_workflow', { workflow: 'ordre' })).rejects.toThrow(
      /there is no workflow "ordre"[^]*order/,
    );
    const triggered = z
      .object({ runId: z.string() })
      .parse(await call(changing, 'trigger_workflow', { workflow: 'order', input: { id: 8 }, metadata: { by: 'me' } }));
    await expect
      .poll(() => call(changing, 'list_runs', { query: 'by:me status:completed' }))
      .toMatchObject({ rows: [{ runId: triggered.runId }] });
    expect(await call(changing, 'cancel_runs', { run_ids: [triggered.runId] })).toMatchObject({
      done: [],
      refused: { [triggered.runId]: expect.any(String) },
    });
    expect(await call(changing, 'replay_runs', { run_ids: [failedId] })).toEqual({ done: [failedId], refused: {} });
    // With an unknown one among them nothing is done.
    await expect(call(changing, 'replay_runs', { run_ids: [triggered.runId, crypto.randomUUID()] })).rejects.toThrow(
      /error: /,
    );
  });

  it('says of an engine that cannot be reached where it looked, and ends with its client', async () => {
    const away = new Client({ name: 'test', version: '1' });
    clients.push(away);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [hatchetBin, 'mcp', '--address', '127.0.0.1:1'],
      env: cleanEnv({ HATCHET_CLIENT_TOKEN: fixture.token }),
      cwd: '/',
    });
    await away.connect(transport);
    await expect(call(away, 'list_queues')).rejects.toThrow(/error: .*127\.0\.0\.1:1/);
    const { pid } = transport;
    await away.close();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});
