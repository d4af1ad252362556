import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../helpers/engine-process.ts';
import { processesIn } from '../helpers/left-behind.ts';
import { cleanEnv, runProgram } from '../helpers/run-cli.ts';
import { createTestDatabase } from '../helpers/test-database.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const binary = join(packageRoot, 'bin', 'hatchet-embedded');
const folder = makeTempFolder('embedded');
const programs: ChildProcess[] = [];
afterAll(() => programs.forEach((program) => program.kill('SIGKILL')));

/** A program of the published SDK, with the one variable that names this engine. */
function embed(dataDir: string): { program: ChildProcess; said: () => string } {
  const program = spawn(process.execPath, [join(packageRoot, 'test/fixtures/embedded-program.mjs'), dataDir], {
    cwd: packageRoot,
    env: cleanEnv({ HATCHET_CLIENT_EMBEDDED_BINARY_PATH: binary }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  programs.push(program);
  let text = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
  return { program, said: () => text };
}

describe('HatchetEmbeddedClient of the published SDK', () => {
  it('runs on this engine, stops it, and finds what it had done the next time', async () => {
    const dataDir = join(folder, 'own');
    for (let time = 1; time <= 2; time++) {
      const { program, said } = embed(dataDir);
      await expect.poll(said, { timeout: 60_000 }).toContain('{"doubled":42}');
      program.stdin?.end();
      await expect.poll(said, { timeout: 30_000 }).toContain('stopped');
      await expect.poll(() => processesIn(dataDir), { timeout: 15_000 }).toEqual([]);
    }
    expect(existsSync(dataDir)).toBe(true);
  }, 120_000);

  it('leaves no engine behind when it is killed', async () => {
    const dataDir = join(folder, 'killed');
    const { program, said } = embed(dataDir);
    await expect.poll(said, { timeout: 60_000 }).toContain('{"doubled":42}');
    expect(processesIn(dataDir).join()).toContain('hatchet-embedded');
    program.kill('SIGKILL');
    await expect.poll(() => processesIn(dataDir), { timeout: 15_000 }).toEqual([]);
  }, 120_000);
});

describe('bin/hatchet-embedded', () => {
  it('says what is wrong with how it was started, and what to do', async () => {
    const { code, stderr } = await runProgram(process.execPath, [binary], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toContain('-handshake-file is missing');
    expect(stderr).toContain('hatchet engine start');
  });

  it('does not migrate where it is told not to', async () => {
    const database = await createTestDatabase({ from: 'empty' });
    onTestFinished(() => database.drop());
    const { code, stderr } = await runProgram(
      process.execPath,
      [
        binary,
        '-handshake-file',
        join(folder, 'handshake.json'),
        '-database-url',
        database.url,
        '-postgres-data-dir',
        join(folder, 'theirs'),
        '-no-migrations',
      ],
      { cwd: folder },
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain('the database lacks');
    expect(existsSync(join(folder, 'handshake.json'))).toBe(false);
  });
});
