import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFloor } from '../../../engine/model/ids/uuid-floor.ts';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { databaseFixture, databaseForTest } from '../../helpers/database-fixture.ts';
import { printedLines } from '../../helpers/printed.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

const database = databaseFixture();
const folder = makeTempFolder('access commands');
const dataDir = join(folder, 'data');
const nobody = '0198c0de-0000-7000-8000-000000000000';

const cli = (...args: string[]): Promise<CliResult> => runCli([...args, '--data-dir', dataDir], { cwd: folder });

interface Row {
  id: string;
  tenantId: string;
  name: string;
  role: string;
  tokens: number;
  state: string;
  lastUsedAt: string | null;
  expiresAt: string;
  revokedAt: string | null;
  value: number;
  default: number;
  isSet: boolean;
}

async function rows(...args: string[]): Promise<Row[]> {
  const result = await cli(...args, '-o', 'json');
  expect([result.code, result.stderr]).toEqual([0, '']);
  const page: { rows: Row[] } = JSON.parse(result.stdout);
  return page.rows;
}

async function refused(code: number, message: string | RegExp, ...args: string[]): Promise<void> {
  const result = await cli(...args);
  expect([args.join(' '), result.code, result.stdout]).toEqual([args.join(' '), code, '']);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
}

beforeAll(async () => {
  const { client } = database;
  for (const days of [9, 5]) {
    const atMs = Date.now() - days * 86_400_000;
    await preparePartitions(client, atMs);
    await client.query(
      `INSERT INTO audit_line (id, tenant_id, action, ids, address, outcome) VALUES ($1, $2, $3, '{}', 'local', 'OK')`,
      [uuidFloor(atMs), nobody, `${days} days ago`],
    );
  }
  const started = await cli(
    'engine',
    'start',
    '--detach',
    '--database-url',
    database.url,
    '--grpc-port',
    '0',
    '--http-port',
    '0',
    '--audit-days',
    '7',
  );
  expect([started.code, started.stderr]).toEqual([0, expect.not.stringContaining('error')]);
});

afterAll(async () => {
  await cli('engine', 'stop');
  rmSync(folder, { recursive: true, force: true });
});

describe('tenants', () => {
  it('are made and listed; a name is one', async () => {
    const made = await cli('tenants', 'create', 'acme');
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
    expect(await rows('tenants', 'list')).toMatchObject([
      { name: 'default', state: 'active', tokens: 1 },
      { name: 'acme', tenantId: made.stdout.trim(), state: 'active', tokens: 0 },
    ]);
    await refused(2, /there is a tenant "acme" already/, 'tenants', 'create', 'acme');
    await refused(2, /looks like an id/, 'tenants', 'create', nobody);
    await refused(2, /begins or ends with a space/, 'tenants', 'create', ' acme');
    await refused(2, /the name has 0 characters/, 'tenants', 'create', '');
  });

  it('have limits that are in force in a running engine', async () => {
    await cli('tenants', 'create', 'small');
    const env = { HATCHET_CLIENT_TOKEN: (await cli('token', 'create', '--tenant', 'small')).stdout.trim() };
    const list = (): Promise<CliResult> => runCli(['workflows', 'list'], { cwd: '/', env });
    expect(await list()).toMatchObject({ code: 0 });
    await cli('tenants', 'limits', 'small', '--set', 'callsPerSecond=0');
    await expect.poll(async () => (await list()).stderr).toMatch(/the tenant's limit callsPerSecond is 0/);
    await cli('tenants', 'limits', 'small', '--unset', 'callsPerSecond');
    await expect.poll(async () => (await list()).code).toBe(0);
  });

  it('have limits, which are set and unset', async () => {
    expect((await rows('tenants', 'limits', 'acme')).find(({ name }) => name === 'crons')).toEqual({
      name: 'crons',
      value: 10_000,
      default: 10_000,
      isSet: false,
    });
    const changed = await rows('tenants', 'limits', 'acme', '--set', 'crons=0', '--set', 'workers=1e3');
    expect(changed.filter(({ isSet }) => isSet).map(({ name, value }) => [name, value])).toEqual([
      ['workers', 1_000],
      ['crons', 0],
    ]);
    expect(
      (await rows('tenants', 'limits', 'acme', '--unset', 'crons,workers', '--set', 'workflows=0'))
        .filter(({ isSet }) => isSet)
        .map(({ name }) => name),
    ).toEqual(['workflows']);
    expect((await cli('tenants', 'limits', 'acme')).stdout).toMatch(
      /^LIMIT +VALUE +DEFAULT +SET\n[^]*\nworkflows +0 +5000 +yes\n/,
    );
    await refused(2, /there is no limit "cron"/, 'tenants', 'limits', 'acme', '--set', 'cron=1');
    await refused(2, /there is no limit "cron"/, 'tenants', 'limits', 'acme', '--unset', 'cron');
    for (const value of ['-1', 'many', '', 'Infinity', '0x10', '1e999'])
      await refused(2, /Give it as limit=number/, 'tenants', 'limits', 'acme', '--set', `crons=${value}`);
    await refused(2, /both set and unset/, 'tenants', 'limits', 'acme', '--set', 'crons=1', '--unset', 'crons');
    await refused(4, /there is no tenant "nobody"/, 'tenants', 'limits', 'nobody');
    // What was refused has changed nothing.
    expect((await rows('tenants', 'limits', 'acme')).filter(({ isSet }) => isSet).map(({ name }) => name)).toEqual([
      'workflows',
    ]);
  });
});

describe('tokens', () => {
  it('have a role, a tenant and an expiry', async () => {
    const made = await cli(
      'token',
      'create',
      '--name',
      'looks',
      '--role',
      'viewer',
      '--tenant',
      'acme',
      '--expires',
      '12h',
      '-o',
      'json',
    );
    const { token, tokenId, role, expiresAt }: { token: string; tokenId: string; role: string; expiresAt: string } =
      JSON.parse(made.stdout);
    expect(role).toBe('viewer');
    expect((Date.parse(expiresAt) - Date.now()) / 3_600_000).toBeCloseTo(12, 0);
    const env = { HATCHET_CLIENT_TOKEN: token };
    expect(await runCli(['workflows', 'list'], { cwd: '/', env })).toMatchObject({ code: 0 });
    expect(await runCli(['audit', 'list'], { cwd: '/', env })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('needs the role admin, and the token has the role viewer'),
    });
    expect(await rows('token', 'list', '--tenant', 'acme')).toEqual([
      expect.objectContaining({
        id: tokenId,
        name: 'looks',
        role: 'viewer',
        revokedAt: null,
        lastUsedAt: expect.any(String),
        expiresAt,
      }),
    ]);
    expect((await cli('token', 'list', '--tenant', 'acme')).stdout).toMatch(
      /^TOKEN +NAME +ROLE +CREATED +USED +EXPIRES +REVOKED\n[^\n]+looks +viewer/,
    );
    expect((await rows('token', 'list')).map(({ name }) => name)).not.toContain('looks');
    expect((await cli('token', 'revoke', tokenId)).code).toBe(0);
    await expect.poll(async () => (await runCli(['workflows', 'list'], { cwd: '/', env })).code).toBe(3);
    expect((await rows('token', 'list', '--tenant', 'acme'))[0]?.revokedAt).toEqual(expect.any(String));
  });

  it('take a date, or days, and are admins of the tenant "default" for a year without more', async () => {
    await cli('token', 'create', '--name', 'dated', '--expires', '2100-01-01');
    await cli('token', 'create', '--name', 'days', '--days', '3');
    await cli('token', 'create', '--name', 'plain');
    const listed = new Map((await rows('token', 'list')).map((row) => [row.name, row]));
    expect(listed.get('dated')).toMatchObject({
      role: 'admin',
      expiresAt: '2100-01-01T00:00:00.000Z',
      lastUsedAt: null,
    });
    const days = (name: string): number => (Date.parse(listed.get(name)?.expiresAt ?? '') - Date.now()) / 86_400_000;
    expect([days('days'), days('plain')].map(Math.round)).toEqual([3, 365]);
  });

  it('refuse what cannot be meant', async () => {
    await refused(2, /Allowed choices are viewer, trigger, worker, admin/, 'token', 'create', '--role', 'root');
    await refused(2, /which is over/, 'token', 'create', '--expires', '2020-01-01');
    await refused(2, /Give at most 36500 days/, 'token', 'create', '--expires', '2400-01-01');
    await refused(2, /Give a time such as/, 'token', 'create', '--expires', 'soon');
    await refused(2, /cannot be used with/, 'token', 'create', '--expires', '1d', '--days', '1');
    await refused(4, /there is no tenant "nobody"/, 'token', 'create', '--tenant', 'nobody');
    await refused(4, /there is no token/, 'token', 'revoke', nobody);
  });
});

describe('the audit log', () => {
  it('shows what was changed by calls and straight on the database', async () => {
    await cli('token', 'create', '--name', 'noted');
    await cli('tenants', 'limits', 'default', '--set', 'crons=5');
    expect((await cli('crons', 'create', 'nothing', '* * * * *', '--name', 'none')).code).toBe(4);
    const result = await cli('audit', 'list', '-o', 'ndjson', '--limit', '3');
    expect(printedLines(result)).toEqual([
      expect.objectContaining({
        action: 'POST /api/v1/tenants/:tenant/workflows/:workflow/crons',
        tokenName: 'local',
        address: '127.0.0.1',
        outcome: 'UNKNOWN_WORKFLOW',
      }),
      expect.objectContaining({
        action: 'hatchet tenants limits',
        tokenId: null,
        ids: [expect.any(String), 'crons=5'],
        address: 'local',
        outcome: 'OK',
      }),
      expect.objectContaining({
        action: 'hatchet token create',
        tokenId: null,
        ids: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
        address: 'local',
        outcome: 'OK',
      }),
    ]);
    expect((await cli('audit', 'list', '--action', 'tenants limits', '--id', 'crons=5')).stdout).toMatch(
      /^TIME +TOKEN +ACTION +IDS +ADDRESS +OUTCOME\n\S+Z +hatchet tenants limits +\S+ \+1 +local +OK\n$/,
    );
    expect((await cli('audit', 'list', '--action', 'no such thing')).stdout).toBe('Nothing was changed.\n');
    expect((await cli('audit', 'list', '--since', '2099-01-01')).stdout).toBe('Nothing was changed.\n');
    const page: { rows: { action: string }[]; next: string } = JSON.parse(
      (await cli('audit', 'list', '--limit', '1', '-o', 'json')).stdout,
    );
    const second: { rows: { action: string }[] } = JSON.parse(
      (await cli('audit', 'list', '--limit', '1', '--page', page.next, '-o', 'json')).stdout,
    );
    expect(second.rows).toEqual([expect.objectContaining({ action: 'hatchet tenants limits' })]);
    const byToken = printedLines(
      await cli(
        'audit',
        'list',
        '-o',
        'ndjson',
        '--token-id',
        (await rows('token', 'list')).find(({ name }) => name === 'local')?.id ?? '',
      ),
    );
    expect(byToken).toEqual([expect.objectContaining({ outcome: 'UNKNOWN_WORKFLOW' })]);
    // Revocations, tenants and roles of the tests before.
    const { rows: lines } = await database.client.query<{ action: string }>(
      `SELECT DISTINCT action FROM audit_line WHERE token_id IS NULL AND tenant_id <> $1 ORDER BY 1`,
      [nobody],
    );
    expect(lines.map(({ action }) => action)).toEqual([
      'hatchet tenants create',
      'hatchet tenants limits',
      'hatchet token create',
      'hatchet token revoke',
    ]);
  });

  it('is kept for --audit-days', async () => {
    const kept = async (): Promise<unknown[]> =>
      (await database.client.query('SELECT action FROM audit_line WHERE tenant_id = $1', [nobody])).rows;
    await expect.poll(kept).toEqual([{ action: '5 days ago' }]);
  });

  it('takes lines before an engine has served the database', async () => {
    const fresh = await databaseForTest({ from: 'migrated' });
    const made = await runCli(['tenants', 'create', 'early'], { cwd: folder, env: { DATABASE_URL: fresh.url } });
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect((await fresh.client.query('SELECT action FROM audit_line')).rows).toEqual([
      { action: 'hatchet tenants create' },
    ]);
  });
});

describe('the deletion of a tenant', () => {
  it('asks first, refuses the token at once, and keeps the name until the tenant is gone', async () => {
    const token = (await cli('token', 'create', '--tenant', 'acme')).stdout.trim();
    await refused(
      2,
      /the tenant "acme" \([0-9a-f-]{36}\) with 0 runs and 1 token\n\s+Add --yes/,
      'tenants',
      'delete',
      'acme',
    );
    await refused(2, /each engine makes it again at its start/, 'tenants', 'delete', 'default', '--yes');
    await refused(4, /there is no tenant/, 'tenants', 'delete', nobody, '--yes');
    const asked = new TestTerminal(['tenants', 'delete', 'acme', '--data-dir', dataDir], folder);
    await expect.poll(() => asked.screen()).toMatch(/Delete the tenant "acme"/);
    asked.press('n');
    expect(await asked.exited).toBe(130);
    expect((await rows('tenants', 'list')).find(({ name }) => name === 'acme')).toMatchObject({ state: 'active' });

    const deleted = await cli('tenants', 'delete', 'acme', '--yes');
    expect(deleted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Deleted the tenant "acme"/) });
    await expect
      .poll(async () => (await runCli(['workflows', 'list'], { cwd: '/', env: { HATCHET_CLIENT_TOKEN: token } })).code)
      .toBe(3);
    expect((await rows('tenants', 'list')).find(({ name }) => name === 'acme')).toMatchObject({
      state: 'being deleted',
    });
    await refused(2, /is still being deleted/, 'tenants', 'create', 'acme');
    await refused(2, /the tenant "acme" is being deleted/, 'token', 'create', '--tenant', 'acme');
    await refused(2, /the tenant "acme" is being deleted/, 'tenants', 'limits', 'acme', '--set', 'crons=1');
    expect((await cli('tenants', 'delete', 'acme', '--yes')).stdout).toMatch(/is being deleted already/);
    await expect
      .poll(async () => (await rows('tenants', 'list')).map(({ name }) => name), { timeout: 90_000 })
      .toEqual(['default', 'small']);
  });
});
