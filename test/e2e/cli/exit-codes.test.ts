import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskRequest, workflowRequest } from '../../helpers/contract-worker.ts';
import { GrpcClients } from '../../helpers/grpc-client.ts';
import { isListening, leftFiles, processesIn } from '../../helpers/left-behind.ts';
import { CliSession, runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('exit-codes');
const dataDir = join(folder, 'data');
let sql: Client;
let engine: { grpc: string; http: string; databaseUrl: string };
let token: string;

function cli(args: string[], options: { env?: Record<string, string>; input?: string } = {}): Promise<CliResult> {
  return runCli(args, { cwd: folder, ...options });
}

function trigger(name: string, ...args: string[]): Promise<CliResult> {
  return cli(['trigger', 'workflow', name, '--data-dir', dataDir, ...args]);
}

function readEngine(): typeof engine {
  const text = readFileSync(join(dataDir, 'engine.json'), 'utf8');
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('databaseUrl' in value) || typeof value.databaseUrl !== 'string')
    throw new Error(`unexpected engine.json: ${text}`);
  const [grpc = '', http = ''] = [...text.matchAll(/"(?:grpc|http)":\s*"([^"]+)"/g)].map((match) => match[1]);
  return { grpc, http, databaseUrl: value.databaseUrl };
}

async function tableCounts(): Promise<Record<string, number>> {
  const { rows } = await sql.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const { rows: counted } = await sql.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM ${sql.escapeIdentifier(name)}`,
    );
    counts[name] = counted[0]?.n ?? -1;
  }
  return counts;
}

beforeAll(async () => {
  const started = await cli([
    'engine',
    'start',
    '--detach',
    '--data-dir',
    dataDir,
    '--grpc-port',
    '0',
    '--http-port',
    '0',
  ]);
  if (started.code !== 0) throw new Error(started.stderr);
  engine = readEngine();
  sql = new Client({ connectionString: engine.databaseUrl });
  sql.on('error', () => undefined);
  await sql.connect();
  token = (await cli(['token', 'create', '--data-dir', dataDir])).stdout.trim();
  const [host = '', port = ''] = engine.grpc.split(':');
  const clients = new GrpcClients({ host, port: Number(port) }, token);
  const schema = {
    type: 'object',
    properties: { message: { type: 'string' } },
    required: ['message'],
    additionalProperties: false,
  };
  await clients.call(
    clients.admin,
    clients.admin.putWorkflow,
    workflowRequest('checked', [taskRequest('only')], { inputJsonSchema: Buffer.from(JSON.stringify(schema)) }),
  );
  clients.close();
});

afterAll(async () => {
  await sql.end().catch(() => undefined);
  await cli(['engine', 'stop', '--data-dir', dataDir]);
  rmSync(folder, { recursive: true, force: true });
});

describe('bad input', () => {
  it('gets the right exit code and message, and stores nothing', async () => {
    const before = await tableCounts();
    const big = join(folder, 'big.json');
    writeFileSync(big, JSON.stringify({ message: 'x'.repeat(5 * 1024 * 1024) }));
    const cases: [string, Promise<CliResult>, number, RegExp][] = [
      ['unknown workflow', trigger('nobody', '--input', '{}'), 4, /nobody/],
      ['against its schema', trigger('checked', '--input', '{"message":5}'), 2, /message/],
      ['a field too many', trigger('checked', '--input', '{"message":"a","other":1}'), 2, /other/],
      ['5 MiB', trigger('checked', '--input-file', big), 2, /4194304|4 MiB|4\.0 MiB/],
      ['NUL', trigger('checked', '--input', '{"message":"\\u0000"}'), 2, /NUL/],
      ['invalid JSON', trigger('checked', '--input', '{"message":'), 2, /JSON/],
      ['both inputs', trigger('checked', '--input', '{}', '--input-file', big), 2, /input/],
      ['unknown flag', trigger('checked', '--inputt', '{}'), 2, /inputt/],
      [
        'unknown run',
        cli(['runs', 'get', '01a20b6f-8003-7bbc-bf26-a361cd38f054', '--data-dir', dataDir]),
        4,
        /01a20b6f/,
      ],
      [
        'bad token',
        cli(['runs', 'list'], {
          env: { HATCHET_CLIENT_TOKEN: `${token.slice(0, -6)}AAAAAA`, HATCHET_CLIENT_HOST_PORT: engine.grpc },
        }),
        3,
        /token/,
      ],
      [
        'wrong port',
        cli(['runs', 'list'], { env: { HATCHET_CLIENT_TOKEN: token, HATCHET_CLIENT_HOST_PORT: '127.0.0.1:1' } }),
        3,
        /127\.0\.0\.1:1/,
      ],
      ['no engine', cli(['runs', 'list', '--data-dir', join(folder, 'nowhere')]), 3, /engine/i],
    ];
    for (const [name, run, code, message] of cases) {
      const result = await run;
      expect({ name, code: result.code, stdout: result.stdout }).toEqual({ name, code, stdout: '' });
      expect(result.stderr, name).toMatch(message);
      expect(result.stderr, name).not.toMatch(/\n\s+at /); // a user's mistake is never a stack trace
    }
    expect(await tableCounts()).toEqual(before);
  });

  it('a taken port that was asked for is refused', async () => {
    const blocker: Server = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const result = await cli([
      'engine',
      'start',
      '--detach',
      '--data-dir',
      join(folder, 'second'),
      '--grpc-port',
      String(port),
      '--http-port',
      '0',
    ]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(String(port));
    await new Promise<void>((resolve) => blocker.close(() => resolve()));
    expect(processesIn(join(folder, 'second'))).toEqual([]);
    expect(leftFiles(join(folder, 'second'))).toEqual([]);
  });
});

describe('a run that no worker takes', () => {
  it('says why it waits, while it is waited for', async () => {
    const waiting = new CliSession(
      ['trigger', 'workflow', 'checked', '--input', '{"message":"a"}', '--wait', '--data-dir', dataDir],
      { cwd: folder },
    );
    await expect.poll(() => waiting.stderr).toMatch(/^only waits: NO_WORKER\w*: \S/m);
    expect(await waiting.end('SIGINT')).toBe(130);
    expect(waiting.stderr).toContain('The run goes on.');
    expect(waiting.stdout).toBe('');
  });
});

describe('the engine commands', () => {
  it('refuse a schema that is two migrations newer than the program', async () => {
    await sql.query(`INSERT INTO schema_migration (name, run_on) VALUES ('9998_next', now()), ('9999_future', now())`);
    await sql.end();
    const [, grpcPort = '0'] = engine.grpc.split(':');
    expect((await cli(['engine', 'stop', '--data-dir', dataDir])).code).toBe(0);
    expect(isListening(Number(grpcPort))).toBe(false);
    expect((await cli(['engine', 'status', '--data-dir', dataDir])).code).toBe(3);
    expect((await cli(['engine', 'stop', '--data-dir', dataDir])).code).toBe(0);
    for (const args of [
      ['engine', 'start', '--detach', '--grpc-port', '0', '--http-port', '0'],
      ['migrate', 'up'],
    ]) {
      const result = await cli([...args, '--data-dir', dataDir]);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('9999_future');
      expect(result.stderr).toMatch(/upgrade/i);
    }
    expect(processesIn(dataDir)).toEqual([]);
    expect(leftFiles(dataDir)).toEqual([]);
  });
});
