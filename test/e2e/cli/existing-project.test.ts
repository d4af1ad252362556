import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { processesIn } from '../../helpers/left-behind.ts';
import { linkPackages } from '../../helpers/linked-project.ts';
import { runCli, runProgram } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('existing project');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Somebody's project: a TypeScript program with a worker of another kind, scripts under the usual names, and habits of its own. */
const files: Readonly<Record<string, string>> = {
  'package.json': `{
    "name": "shop", "version": "3.2.1", "private": true,
    "type": "module",
    "scripts": { "dev": "node dist/index.js", "build": "tsc", "test": "node --test dist" },
    "keywords": ["a", "b"],
    "dependencies": { "zod": "4.6.7" },
    "devDependencies": {
        "typescript": "7.0.2",
        "@types/node": "20.19.43"
    }
}
`,
  'tsconfig.json': `{
  // Ours.
  "compilerOptions": { "target": "es2023", "lib": ["es2023"], "module": "nodenext", "types": ["node"], "strict": true, "skipLibCheck": true, "rootDir": "src", "outDir": "dist" },
  "include": ["src"]
}
`,
  '.gitignore': 'dist\n*.log',
  'README.md': '# Shop\n',
  '.env': 'SECRET=1\n',
  'src/index.ts': "import { price } from './price.js';\n\nconsole.log(price(2));\n",
  'src/price.ts': 'export const price = (count: number): number => count * 350;\n',
  'src/worker.ts':
    "import { parentPort } from 'node:worker_threads';\n\nparentPort?.on('message', (text: string) => parentPort?.postMessage(text.length));\n",
};

/** All that is in a project but for what is installed, built or run. */
function contents(project: string): Record<string, string> {
  const paths = readdirSync(project, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1));
  return Object.fromEntries(
    paths
      .filter((path) => !/^(?:node_modules|dist|\.hatchet)\//.test(path))
      .map((path) => [path, readFileSync(join(project, path), 'utf8')]),
  );
}

/** Whether a text is another with pieces put in: each of its lines is there, in their order. */
function keepsLines(text: string, before: string): boolean {
  const lines = text.split('\n').map((line) => line.replace(/,$/, ''));
  let at = 0;
  return before.split('\n').every((line) => {
    const found = lines.findIndex((each, index) => index >= at && each.startsWith(line.replace(/[,}\s]*$/, '')));
    at = found + 1;
    return found >= 0;
  });
}

it('hatchet init in a project that is there adds what runs, and changes nothing', async () => {
  const project = join(folder, 'shop');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  const made = await runCli(['init', '.', '--template', 'simple', '--yes'], { cwd: project });
  expect(made.code, made.stderr).toBe(0);
  for (const named of ['src/hatchet/worker.ts', 'hatchet:dev', 'tsconfig.json'])
    expect(made.stdout + made.stderr).toContain(named);

  const after = contents(project);
  for (const [path, text] of Object.entries(files)) {
    if (path === '.gitignore') expect(after[path]).toBe(`${text}\n${after[path]?.slice(text.length + 1) ?? ''}`);
    else if (path === 'package.json') expect(keepsLines(after[path] ?? '', text), after[path]).toBe(true);
    else expect(after[path], path).toBe(text);
  }
  expect(
    Object.keys(after)
      .filter((path) => files[path] === undefined)
      .sort(),
  ).toEqual(['hatchet.config.mjs', 'src/hatchet/hatchet.ts', 'src/hatchet/simple.ts', 'src/hatchet/worker.ts']);
  const theirs: Record<string, Record<string, string>> = JSON.parse(files['package.json'] ?? '');
  const ours: Record<string, Record<string, string>> = JSON.parse(after['package.json'] ?? '');
  expect(ours).toMatchObject(theirs);
  expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
  expect(ours['scripts']).toEqual({
    ...theirs['scripts'],
    'hatchet:dev': 'hatchet dev',
    worker: 'hatchet worker start',
  });
  expect(Object.keys(ours['dependencies'] ?? {})).toEqual(['zod', 'hatchet-ts']);
  expect(ours['devDependencies']).toEqual(theirs['devDependencies']);

  // A second time adds nothing.
  const again = await runCli(['init', '.', '--template', 'simple', '--yes'], { cwd: project });
  expect(again.code, again.stderr).toBe(0);
  expect(contents(project)).toEqual(after);

  linkPackages(project);
  // Its own compiler takes what came, by its own settings; its own program does what it did.
  expect(await runProgram('npm', ['run', '--silent', 'build'], { cwd: project })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(await runProgram('npm', ['run', '--silent', 'dev'], { cwd: project })).toEqual({
    code: 0,
    stdout: '700\n',
    stderr: '',
  });
  const ran = await runProgram(
    'npm',
    ['run', '--silent', 'hatchet:dev', '--', '--trigger', 'simple', '--input', '{"message":"HELLO"}', '--once'],
    { cwd: project },
  );
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('{"message":"hello"}');
  await expect.poll(() => processesIn(project)).toEqual([]);
  expect(existsSync(join(project, '.hatchet'))).toBe(true);
  expect(contents(project)).toEqual(after);
});
