import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { StreamDurableLogResponse } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import type { GrpcClients } from '../../helpers/grpc-client.ts';
import { printed, type Printed } from '../../helpers/printed.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('durable commands');
let clients: GrpcClients;

const hatchetCli = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--data-dir', fixture.dataDir], { cwd: '/' });

async function start(workflow: string, input: object): Promise<string> {
  return printed(await hatchetCli('trigger', 'workflow', workflow, '--input', JSON.stringify(input), '-o', 'json'))
    .runId;
}

async function get(runId: string): Promise<Printed> {
  return printed(await hatchetCli('runs', 'get', runId, '-o', 'json'));
}

/** As the monitor's stream tells it: once the log holds what is looked for. */
async function logHas(
  taskId: string,
  isThere: (nodes: StreamDurableLogResponse['nodes']) => boolean,
): Promise<StreamDurableLogResponse['nodes']> {
  const stream = clients.monitor.streamDurableLog({ taskId }, clients.metadata());
  stream.on('error', () => undefined); // it is cancelled below
  const nodes = new Map<string, StreamDurableLogResponse['nodes'][number]>();
  try {
    const messages: AsyncIterable<StreamDurableLogResponse> = stream;
    for await (const message of messages) {
      for (const node of message.nodes) nodes.set(`${node.branch}.${node.node}`, node);
      if (isThere([...nodes.values()])) return [...nodes.values()];
    }
  } finally {
    stream.cancel();
  }
  throw new Error('the stream ended');
}

beforeAll(async () => {
  ({ clients } = fixture);
  fixture.spawn('published-durable/worker.mjs');
  await vi.waitFor(
    async () =>
      expect((await clients.call(clients.monitor, clients.monitor.listWorkers, { all: false })).rows).toHaveLength(1),
    { timeout: 30_000 },
  );
});

describe('commands of durable tasks', () => {
  let runId = '';
  let slow = '';

  it('runs get shows the log as a tree, and what the task waits for', async () => {
    runId = await start('waiter', { id: 7 });
    await logHas(runId, (nodes) => nodes.length === 1);
    const { stdout } = await hatchetCli('runs', 'get', runId);
    expect(stdout).toMatch(/└─ 1 … event "go" if input\.id == 7 {2}waits .*, invocation 1/);
    expect(stdout).toContain('open now: event "go" if input.id == 7 (node 1)');
    const [task] = (await get(runId)).tasks;
    expect(task).toMatchObject({ durable: true, log: { branch: 1, branches: [], open: [{ branch: 1, node: 1 }] } });
    expect(task?.log.nodes).toMatchObject([
      {
        branch: 1,
        node: 1,
        kind: 'WAIT',
        asked: 'event "go" if input.id == 7',
        satisfiedAt: null,
        conditions: [{ eventKey: 'go', expression: 'input.id == 7', sleep: null, met: false }],
      },
    ]);
  });

  it('the stream tells of what comes, and runs get has it with its result', async () => {
    const done = logHas(runId, (nodes) => nodes.some((node) => node.satisfiedAt !== undefined));
    await hatchetCli('trigger', 'event', 'go', '--data', '{"id":7,"note":"hello"}');
    expect((await done)[0]?.output).toContain('hello');
    await expect.poll(async () => (await get(runId)).status).toBe('COMPLETED');
    expect((await hatchetCli('runs', 'get', runId)).stdout).toMatch(/└─ 1 ✓ event "go".*\n +.*"note":"hello"/);
  });

  it('runs why names the open nodes of an evicted task; runs restore wakes it', async () => {
    slow = await start('patient', {});
    await logHas(slow, (nodes) => nodes.length === 1);
    await expect.poll(async () => (await get(slow)).status, { interval: 20 }).toBe('EVICTED');
    const why = printed(await hatchetCli('runs', 'why', slow, '-o', 'json'));
    expect(why.tasks).toMatchObject([
      {
        status: 'EVICTED',
        cause: { code: 'EVICTED', text: 'sleeps off its worker while it waits for sleep 1h or event "hurry" (node 1)' },
      },
    ]);
    const rows = printed(await hatchetCli('runs', 'list', '--status', 'EVICTED', '-o', 'json')).rows;
    expect(rows.map((row) => row.runId)).toEqual([slow]);
    expect(printed(await hatchetCli('runs', 'restore', slow, '-o', 'json'))).toEqual({ taskId: slow, requeued: true });
  });

  it('runs branch goes on from a node on a branch of its own, and the old one stays readable', async () => {
    expect(printed(await hatchetCli('runs', 'branch', runId, '--node', '1', '-o', 'json'))).toEqual({
      taskId: runId,
      branch: 2,
      node: 1,
    });
    await logHas(runId, (nodes) => nodes.some((node) => node.branch === 2 && node.satisfiedAt === undefined));
    const { stdout } = await hatchetCli('runs', 'get', runId);
    expect(stdout).toMatch(
      /├─ branch 2, from node 1 of branch 1 \(the present one\)\n│ └─ 1 … event "go"[^\n]*\n└─ 1 ✓ event "go"/,
    );
    expect((await get(runId)).tasks[0]?.log).toMatchObject({
      branch: 2,
      branches: [{ branch: 2, parent: 1, firstNode: 1 }],
      open: [{ branch: 2, node: 1 }],
    });
    const unknown = await hatchetCli('runs', 'branch', runId, '--node', '9');
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('has no node 9')]);
  });

  it('what an old branch left open is no wait of the task', async () => {
    expect(printed(await hatchetCli('runs', 'branch', slow, '--node', '1', '-o', 'json'))).toMatchObject({ branch: 2 });
    await logHas(slow, (nodes) => nodes.length === 2);
    await expect.poll(async () => (await get(slow)).status, { interval: 20 }).toBe('EVICTED');
    const why = printed(await hatchetCli('runs', 'why', slow, '-o', 'json'));
    expect(why.tasks[0]?.cause.text).toBe(
      'sleeps off its worker while it waits for sleep 1h or event "hurry" (node 1)',
    );
    expect((await hatchetCli('runs', 'get', slow)).stdout).toMatch(/\n└─ 1 … sleep 1h or event "hurry" {2}left open/);
  });

  it('a log is read in pages, and outputs as far as they are asked for', async () => {
    const places: string[] = [];
    let page: string | undefined;
    do {
      const log = await clients.call(clients.monitor, clients.monitor.getDurableLog, {
        taskId: runId,
        limit: 1,
        outputChars: 5,
        ...(page === undefined ? {} : { pageToken: page }),
      });
      places.push(
        ...log.nodes.map((node) => `${node.branch}.${node.node}${node.outputCut ? ` ${node.output}` : ''}`),
        ...log.branches.map((branch) => `${branch.branch}.0`),
      );
      page = log.next;
    } while (page !== undefined);
    expect(places).toEqual(['1.1 {"CRE', '2.0', '2.1']);
    await expect(
      clients.call(clients.monitor, clients.monitor.getDurableLog, { taskId: runId, pageToken: 'x' }),
    ).rejects.toMatchObject({ details: expect.stringContaining('page token') });
  });

  it('the stream tells of more changes than one look holds, each once', async () => {
    const memos = 1_299;
    const count = memos + 1; // a look holds 500
    const wide = await start('wide', { nodes: memos });
    // Beside it while it grows, and after its end.
    const seen = await logHas(
      wide,
      (nodes) => nodes.length === count && nodes.filter((node) => node.satisfiedAt !== undefined).length >= memos,
    );
    expect(new Set(seen.map(({ node }) => node)).size).toBe(count);
    await expect.poll(async () => (await get(wide)).status).toBe('COMPLETED');
    const messages: StreamDurableLogResponse[] = [];
    const stream = clients.monitor.streamDurableLog({ taskId: wide }, clients.metadata());
    stream.on('error', () => undefined); // it is cancelled below
    const all: AsyncIterable<StreamDurableLogResponse> = stream;
    for await (const message of all) if (messages.push(message) > 0 && message.live) break;
    stream.cancel();
    expect(messages.map(({ live, nodes }) => [live, nodes.length])).toEqual([
      [false, 500],
      [false, 500],
      [true, 300],
    ]);
    const nodes = messages.flatMap((message) => message.nodes);
    expect(nodes.map(({ node }) => node).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    // Which memo took which node is the SDK's affair.
    expect(nodes.flatMap(({ node, output }) => (node > memos ? [] : [Number(output)])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: memos }, (_, n) => n),
    );
  });

  it('refuses what is no durable task, and to skip a sleep where that is not allowed', async () => {
    const plain = await start('child', { n: 1 });
    const refused = await hatchetCli('runs', 'branch', plain, '--node', '1');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is not durable')]);
    expect((await hatchetCli('runs', 'restore', '01980000-0000-7000-8000-000000000000')).code).toBe(4);
    await expect(
      clients.call(clients.monitor, clients.monitor.skipSleep, { taskId: runId, node: 1 }),
    ).rejects.toMatchObject({ details: expect.stringContaining('under `hatchet dev`') });
  });

  it('a run whose code took another way names the node and both sides', async () => {
    const fickle = await start('stubborn', {});
    await expect.poll(async () => (await get(fickle)).status).toBe('FAILED');
    const { events } = await clients.call(clients.monitor, clients.monitor.listRunEvents, { runId: fickle });
    expect(events.flatMap((event) => event.mismatch ?? [])).toEqual([
      { node: 1, recorded: 'sleep 1s', asked: 'sleep 2s' },
    ]);
  });
});
