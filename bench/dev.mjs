// `npm run bench:dev`: how long a developer waits. From an install of the packed tarball; medians of 5 with min and max.
//   cold   `hatchet dev` in a fresh project until the engine is ready: new Postgres cluster, migrations, engine
//   warm   the same with a cluster that exists
//   reload from saving the worker's file until the new worker serves
//   seen   from a transition's commit clock until its line is on screen
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rounds = 5;
const budgets = { cold: 5000, warm: 2000, reload: 1000, seen: 200 };

const folder = mkdtempSync(join(tmpdir(), 'hatchet bench '));
chmodSync(folder, 0o755); // as root, Postgres is another user; its cluster stays in here
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function npm(args, cwd) {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

function install() {
  npm(['pack', '--silent', '--pack-destination', folder], root);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')));
  const tool = join(folder, 'tool');
  execFileSync('mkdir', ['-p', tool]);
  writeFileSync(join(tool, 'package.json'), '{"name":"tool","private":true}');
  npm(['install', '--silent', tarball], tool);
  execFileSync(join(tool, 'node_modules', '.bin', 'hatchet'), ['init', 'demo', '--template', 'simple', '--yes'], { cwd: folder, stdio: 'ignore' });
  const project = join(folder, 'demo');
  npm(['install', '--silent', tarball], project);
  return project;
}

/** A session of `hatchet dev` whose events can be waited for. */
class Session {
  constructor(project) {
    this.startedAt = performance.now();
    this.events = [];
    this.waiting = [];
    this.child = spawn(join(project, 'node_modules', '.bin', 'hatchet'), ['dev', '--no-tui', '-o', 'ndjson'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const event = { ...JSON.parse(line), at: performance.now(), wall: Date.now() };
      this.events.push(event);
      this.waiting = this.waiting.filter(({ wanted, resolve }) => (wanted(event) ? (resolve(event), false) : true));
    });
  }

  until(wanted) {
    const known = this.events.find(wanted);
    return known === undefined ? new Promise((resolve) => this.waiting.push({ wanted, resolve })) : Promise.resolve(known);
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

const project = install();
const source = join(project, 'src', 'simple.ts');
const text = readFileSync(source, 'utf8');
const samples = { cold: [], warm: [], reload: [], seen: [] };
for (let round = 0; round < rounds; round++) {
  rmSync(join(project, '.hatchet'), { recursive: true, force: true });
  const cold = new Session(project);
  samples.cold.push((await cold.until((event) => event.type === 'engine-ready')).at - cold.startedAt);
  await cold.until((event) => event.type === 'worker-ready');
  await cold.stop();

  const warm = new Session(project);
  samples.warm.push((await warm.until((event) => event.type === 'engine-ready')).at - warm.startedAt);
  const first = await warm.until((event) => event.type === 'worker-ready');
  const savedAt = performance.now();
  writeFileSync(source, `${text}\n// round ${round}\n`);
  samples.reload.push((await warm.until((event) => event.type === 'worker-ready' && event.generation > first.generation)).at - savedAt);
  const output = execFileSync(join(project, 'node_modules', '.bin', 'hatchet'), ['trigger', 'workflow', 'simple', '--input', '{"message":"Hi"}', '--wait', '-o', 'json'], { cwd: project });
  if (JSON.parse(output).message !== 'hi') throw new Error(`unexpected output ${output}`);
  await warm.until((event) => event.type === 'run-event' && event.event === 'RUN_FINISHED');
  const seen = warm.events.filter((event) => event.type === 'run-event').map((event) => event.wall - Date.parse(event.time));
  samples.seen.push(Math.max(...seen));
  await warm.stop();
}

let missed = false;
for (const [name, values] of Object.entries(samples)) {
  const ms = Math.round(median(values));
  const over = ms > budgets[name];
  missed ||= over;
  process.stdout.write(`${name.padEnd(7)} median ${String(ms).padStart(5)} ms  (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})  budget ${budgets[name]} ms${over ? '  MISSED' : ''}\n`);
}
process.exitCode = missed ? 1 : 0;
