import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { databaseForTest } from '../../helpers/database-fixture.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { insertRun } from '../../helpers/stored-run.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

it('doctor names a task that the engine cannot read, and the engine serves all else', async () => {
  const folder = makeTempFolder('doctor');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const database = await databaseForTest({ from: 'migrated' });
  const { client } = database;
  await preparePartitions(client, Date.now());
  const dataDir = ['--data-dir', join(folder, 'data')];
  const hatchet = (...args: string[]): Promise<CliResult> => runCli([...args, ...dataDir], { cwd: folder });
  const start = ['engine', 'start', '--detach', '--database-url', database.url, '--grpc-port', '0', '--http-port', '0'];
  onTestFinished(async () => void (await hatchet('engine', 'stop')));

  // Its workflow is not stored.
  const bad = await insertRun(client, Date.now(), { unfinished: true });
  expect(await hatchet(...start)).toMatchObject({ code: 0 });
  const ill = await hatchet('doctor');
  expect(ill.code).toBe(1);
  expect(ill.stdout).toContain(`the task ${bad} cannot be read and is set aside`);
  expect(ill.stdout).toContain('which does not exist');
  expect(await hatchet('runs', 'list')).toMatchObject({ code: 0 });

  await hatchet('engine', 'stop');
  await client.query('DELETE FROM live WHERE task_id = $1', [bad]);
  expect(await hatchet(...start)).toMatchObject({ code: 0 });
  const well = await hatchet('doctor');
  expect(well.stdout).toContain('all that is unfinished can be read and is served');
  expect(well.stdout).not.toContain(bad);
});
