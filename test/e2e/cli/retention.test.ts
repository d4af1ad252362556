import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { databaseForTest } from '../../helpers/database-fixture.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { insertRun, presence } from '../../helpers/stored-run.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const dayMs = 86_400_000;

it('engine start --retention-days: what is older goes, what is younger stays', async () => {
  const folder = makeTempFolder('retention');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const database = await databaseForTest({ from: 'migrated' });
  const { client } = database;
  const now = Date.now();
  for (const days of [5, 2]) await preparePartitions(client, now - days * dayMs);
  const old = await insertRun(client, now - 5 * dayMs, { unfinished: false });
  const young = await insertRun(client, now - 2 * dayMs, { unfinished: false });
  const engine = (command: string, ...args: string[]): Promise<CliResult> =>
    runCli(['engine', command, '--data-dir', join(folder, 'data'), ...args], { cwd: folder });
  onTestFinished(async () => void (await engine('stop')));

  const start = ['--detach', '--database-url', database.url, '--grpc-port', '0', '--http-port', '0'];
  expect(await engine('start', ...start, '--retention-days', '3')).toMatchObject({ code: 0 });
  await expect.poll(() => presence(client, old)).toBe(0);
  expect(await presence(client, young)).toBe(6);
  expect(await engine('stop')).toMatchObject({ code: 0 });

  expect(await engine('start', ...start, '--retention-days', '1')).toMatchObject({ code: 0 });
  await expect.poll(() => presence(client, young)).toBe(0);
});
