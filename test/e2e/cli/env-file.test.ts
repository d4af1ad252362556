import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../helpers/engine-process.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('env file');
const project = join(fixture.folder, 'project');

beforeAll(() => {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(packageRoot, join(project, 'node_modules', 'hatchet-ts'), 'dir');
  const names = JSON.stringify(['FROM_FILE', 'FROM_BOTH']);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(project, 'worker.mjs'),
    `import { Hatchet } from 'hatchet-ts';\nconst hatchet = Hatchet.init();\nconst show = hatchet.task({ name: 'show', fn: () => Object.fromEntries(${names}.map((name) => [name, process.env[name] ?? null])) });\nawait (await hatchet.worker('shows', { workflows: [show] })).start();\n`,
  );
});

it('worker start finds its token in .env; what the environment sets is not overwritten', async () => {
  writeFileSync(
    join(project, '.env'),
    `\uFEFF# of this machine\r\nHATCHET_CLIENT_TOKEN="${fixture.token}"\r\nHATCHET_CLIENT_TLS_STRATEGY=none\r\nFROM_FILE=file\r\nFROM_BOTH=file\r\n`,
  );
  const worker = new CliSession(['worker', 'start', 'worker.mjs'], { cwd: project, env: { FROM_BOTH: 'environment' } });
  try {
    await expect.poll(() => worker.output).toMatch(/serving/);
    const { stdout } = await runCli(
      ['trigger', 'workflow', 'show', '--wait', '-o', 'json', '--data-dir', fixture.dataDir],
      {
        cwd: '/',
      },
    );
    expect(stdout).toContain('"FROM_FILE":"file"');
    expect(stdout).toContain('"FROM_BOTH":"environment"');
  } finally {
    await worker.end('SIGINT');
  }
});
