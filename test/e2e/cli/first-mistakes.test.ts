import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A folder that is no project, without an engine. */
const folder = makeTempFolder('first-mistakes');
writeFileSync(join(folder, 'a-file'), '');
writeFileSync(join(folder, 'input.json'), '{"a":1,}');
mkdirSync(join(folder, 'empty'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['trigger workflow simple', 3, 'no engine runs on the data folder', 'Start one with `hatchet dev`'],
  ['trigger workflow', 2, "missing required argument 'name'", 'See `hatchet trigger workflow --help`.'],
  ['runs ls --limt 3', 2, "unknown option '--limt'", 'See `hatchet runs list --help`.'],
  ['runs show', 2, "unknown command 'show'", 'See `hatchet runs --help`.'],
  ['start', 2, "unknown command 'start'", 'See `hatchet --help`.'],
  [
    'trigger event user:created --data {id:7}',
    2,
    '--data is not valid JSON: line 1, column 2',
    `In a shell, put it in single quotes: --data '{"message":"Hi"}'.`,
  ],
  [
    'trigger workflow simple --input-file input.json',
    2,
    'input.json is not valid JSON: line 1, column 8',
    'Correct it: names and texts stand in double quotes, and nothing follows the last comma.',
  ],
  [
    'trigger workflow simple --input-file nowhere.json',
    2,
    'nowhere.json cannot be read',
    'Check the path that --input-file gives.',
  ],
  ['engine start --data-dir a-file', 2, 'a-file is a file, not a data folder', 'Name a folder with --data-dir'],
  [
    'engine start --grpc-port 0 --http-port 0 --host 192.0.2.1',
    2,
    'this machine has no address 192.0.2.1',
    'Name one of its own with --host',
  ],
  [
    'engine start --retention-days 0',
    2,
    "option '--retention-days <n>' argument '0' is invalid",
    'Give a whole number from 1 to 3650.',
  ],
  [
    'engine start --grpc-port 0 --http-port 0 --database-url mysql://me:secret@db/x',
    2,
    'mysql://me:***@db/x is not the address of a Postgres',
    'Write it as postgres://user:password@host:5432/database.',
  ],
  ['dev nowhere.ts', 2, "the worker's program", 'Check the path'],
  ['worker start', 2, 'has no worker: neither src/worker.ts nor worker.ts', 'Go to the folder of your project'],
])('hatchet %s: what happened, and what to do', async (line, code, what, remedy) => {
  const { stderr, ...ended } = await runCli(line.split(' '), { cwd: folder });
  expect(ended).toEqual({ code, stdout: '' });
  expect(stderr).toContain(what);
  expect(stderr).toContain(remedy);
});
