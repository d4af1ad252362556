// `npm run bench:dev`: how long a developer waits. From an install of the packed tarball; medians of 5 with min and max.
//   cold      `hatchet dev` in a fresh project until the engine is ready: new Postgres cluster, migrations, engine
//   warm      the same with a cluster that exists
//   reload    from saving the worker's file until the new worker serves
//   reload200 the same in a project of 200 modules, of which one is saved
//   seen      from a transition's commit clock until its line is on screen
// `-- --against <folder>`: with another checkout beside this one, turn about in the same run, and the ratios of the two.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rounds = 5;
const budgets = { cold: 5000, warm: 2000, reload: 1000, reload200: 1500, seen: 200 };
const { values: flags } = parseArgs({
  options: { against: { type: 'string' }, linked: { type: 'boolean', default: false } },
});

const folder = mkdtempSync(join(tmpdir(), 'hatchet bench '));
chmodSync(folder, 0o755); // as root, Postgres is another user; its cluster stays in here
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// `--linked` links the checkouts in place of installing them, where there is no registry.
function npm(args, cwd) {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A project from the template `simple`, with a checkout's package. */
function install(checkout, name) {
  const home = join(folder, name);
  const tool = join(home, 'tool');
  mkdirSync(tool, { recursive: true });
  writeFileSync(join(tool, 'package.json'), '{"name":"tool","private":true}');
  const project = join(home, 'demo');
  if (flags.linked) {
    execFileSync(join(checkout, 'bin', 'hatchet'), ['init', 'demo', '--template', 'simple', '--yes'], {
      cwd: home,
      stdio: 'ignore',
    });
    mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(checkout, join(project, 'node_modules', 'hatchet-ts'));
    symlinkSync(join(checkout, 'bin', 'hatchet'), join(project, 'node_modules', '.bin', 'hatchet'));
    return project;
  }
  npm(['pack', '--silent', '--pack-destination', home], checkout);
  const tarball = join(
    home,
    readdirSync(home).find((file) => file.endsWith('.tgz')),
  );
  npm(['install', '--silent', tarball], tool);
  execFileSync(join(tool, 'node_modules', '.bin', 'hatchet'), ['init', 'demo', '--template', 'simple', '--yes'], {
    cwd: home,
    stdio: 'ignore',
  });
  npm(['install', '--silent', tarball], project);
  return project;
}

/** The same project with 200 modules more, each of which imports up to three of the others. */
function makeLarge(project) {
  const large = `${project} large`;
  cpSync(project, large, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.hatchet') });
  mkdirSync(join(large, 'src', 'many'));
  for (let at = 0; at < 200; at++) {
    const needs = [...new Set([at - 1, at - 7, at >> 1])].filter((other) => other >= 0 && other < at);
    const lines = needs.map((other) => `import { f${other} } from './m${other}.ts';`);
    lines.push(`export interface Shape${at} { a: number; b?: string }`);
    for (let one = 0; one < 8; one++)
      lines.push(
        `export function g${at}_${one}(input: Shape${at}, again: readonly string[] = []): number {`,
        '  const total: number = again.reduce((sum: number, text: string) => sum + text.length, input.a);',
        `  return total > ${one} ? total - ${at} : ((input.b ?? '').length as number);`,
        '}',
      );
    const own = Array.from({ length: 8 }, (_, one) => `g${at}_${one}({ a: x })`);
    lines.push(
      `export function f${at}(x: number): number { return x > 5 ? ${[...needs.map((other) => `f${other}(0)`), ...own].join(' + ')} : x; }`,
    );
    writeFileSync(join(large, 'src', 'many', `m${at}.ts`), `${lines.join('\n')}\n`);
  }
  const worker = join(large, 'src', 'worker.ts');
  writeFileSync(
    worker,
    `${Array.from({ length: 200 }, (_, at) => `import { f${at} } from './many/m${at}.ts';`).join('\n')}\n${readFileSync(worker, 'utf8')}\nReflect.set(globalThis, 'many', [${Array.from({ length: 200 }, (_, at) => `f${at}`).join(', ')}]);\n`,
  );
  return large;
}

/** A session of `hatchet dev` whose events can be waited for. */
class Session {
  constructor(project) {
    this.startedAt = performance.now();
    this.events = [];
    this.waiting = [];
    this.child = spawn(join(project, 'node_modules', '.bin', 'hatchet'), ['dev', '--no-tui', '-o', 'ndjson'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const event = { ...JSON.parse(line), at: performance.now(), wall: Date.now() };
      this.events.push(event);
      this.waiting = this.waiting.filter(({ wanted, resolve }) => (wanted(event) ? (resolve(event), false) : true));
    });
  }

  until(wanted) {
    const known = this.events.find(wanted);
    return known === undefined
      ? new Promise((resolve) => this.waiting.push({ wanted, resolve }))
      : Promise.resolve(known);
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await ended;
  }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** From saving a file until the new worker serves. */
async function reload(session, { file, text }) {
  const first = await session.until((event) => event.type === 'worker-ready');
  await wait(2000); // as between two saves of a person: what a session does after a start is over
  const savedAt = performance.now();
  writeFileSync(file, text);
  return (
    (await session.until((event) => event.type === 'worker-ready' && event.generation > first.generation)).at - savedAt
  );
}

async function measure(project, { large, round, samples }) {
  const source = join(project, 'src', 'simple.ts');
  const text = readFileSync(source, 'utf8');
  rmSync(join(project, '.hatchet'), { recursive: true, force: true });
  const cold = new Session(project);
  samples.cold.push((await cold.until((event) => event.type === 'engine-ready')).at - cold.startedAt);
  await cold.until((event) => event.type === 'worker-ready');
  await cold.stop();

  const warm = new Session(project);
  samples.warm.push((await warm.until((event) => event.type === 'engine-ready')).at - warm.startedAt);
  samples.reload.push(
    await reload(warm, { file: source, text: `${text}\nReflect.set(globalThis, 'round', ${round});\n` }),
  );
  const output = execFileSync(
    join(project, 'node_modules', '.bin', 'hatchet'),
    ['trigger', 'workflow', 'simple', '--input', '{"message":"Hi"}', '--wait', '-o', 'json'],
    { cwd: project },
  );
  if (JSON.parse(output).message !== 'hi') throw new Error(`unexpected output ${output}`);
  await warm.until((event) => event.type === 'run-event' && event.event === 'RUN_FINISHED');
  samples.seen.push(
    Math.max(
      ...warm.events.filter((event) => event.type === 'run-event').map((event) => event.wall - Date.parse(event.time)),
    ),
  );
  await warm.stop();
  writeFileSync(source, text);

  const many = new Session(large);
  const changed = join(large, 'src', 'many', 'm5.ts');
  samples.reload200.push(
    await reload(many, {
      file: changed,
      text: `${readFileSync(changed, 'utf8')}Reflect.set(globalThis, 'round', ${round});\n`,
    }),
  );
  await many.stop();
}

const names = Object.keys(budgets);
const sides = [['this', root], ...(flags.against === undefined ? [] : [['other', resolve(flags.against)]])].map(
  ([name, checkout]) => {
    const project = install(checkout, name);
    return { name, project, large: makeLarge(project), samples: Object.fromEntries(names.map((each) => [each, []])) };
  },
);
for (let round = 0; round < rounds; round++)
  for (const { project, large, samples } of round % 2 === 0 ? sides : [...sides].reverse())
    await measure(project, { large, round, samples });

let missed = false;
const [own, other] = sides;
for (const name of names) {
  const values = own.samples[name];
  const ms = Math.round(median(values));
  const over = ms > budgets[name];
  missed ||= over;
  const ratio =
    other === undefined
      ? ''
      : `  other ${String(Math.round(median(other.samples[name]))).padStart(5)} ms (${Math.round(Math.min(...other.samples[name]))}–${Math.round(Math.max(...other.samples[name]))}), ratio ${(median(values) / median(other.samples[name])).toFixed(2)}`;
  process.stdout.write(
    `${name.padEnd(9)} median ${String(ms).padStart(5)} ms  (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})  budget ${budgets[name]} ms${over ? '  MISSED' : ''}${ratio}\n`,
  );
}
process.exitCode = missed ? 1 : 0;
