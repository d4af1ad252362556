import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * What each folder's files may import, besides their own folder. The longest matching key counts.
 * `leaves` is what every folder of the engine may use. A folder that is not here fails the test.
 */
const leaves = ['engine/base'];
/** All that services know of Postgres: what a caller is told of a statement of its own that failed. */
const namedError = 'engine/postgres/named-error.ts';
/**
 * The page runs in a browser: of the generated code it takes the types alone, and of the command what is pure and means the same on
 * both, such as how a run's rows are read, named and said in words.
 */
const sharedWithPage = [
  'cli/durable/log-tree.ts',
  'cli/durable/node-text.ts',
  'cli/input/find-json-error.ts',
  'cli/input/schema-problems.ts',
  'cli/monitor/durable-log-row.ts',
  'cli/monitor/queue-rows.ts',
  'cli/monitor/run-output.ts',
  'cli/monitor/run-query.ts',
  'cli/monitor/run-reader.ts',
  'cli/monitor/schedule-rows.ts',
  'cli/output/plain-text.ts',
  'cli/output/time-text.ts',
  'cli/project/json-value.ts',
  'cli/status-name.ts',
  'cli/ui/model/forms/prefill-input.ts',
  'cli/ui/model/run/attempts.ts',
  'cli/ui/model/runs/run-after-event.ts',
];
const allowed: Record<string, readonly string[]> = {
  'proto/gen': [],
  // What both ends of a link are made of, and the end of a program that asks: of the SDK, and of an engine that passes calls on.
  link: ['proto/gen'],
  'engine/base': [],
  'engine/model': leaves,
  'engine/net': leaves,
  // Processes that take the calls of an engine.
  'engine/edge-processes': [...leaves, 'engine/net'],
  'engine/plan': [...leaves, 'engine/model', 'engine/cel'],
  'engine/cel': [...leaves, 'engine/model'],
  'engine/payloads': [...leaves, 'engine/model'],
  'engine/commit': [...leaves, 'engine/model', 'engine/postgres'],
  'engine/postgres': [...leaves, 'engine/model'],
  'engine/shard': [
    ...leaves,
    'engine/postgres',
    'engine/plan',
    'engine/commit',
    'engine/model',
    'engine/cel',
    'engine/payloads',
  ],
  'engine/purge': [...leaves, 'engine/auth', 'engine/shard', 'engine/plan', 'engine/postgres', 'engine/model'],
  'engine/dispatch': [...leaves, 'engine/model'],
  'engine/writers': [...leaves, 'engine/model', 'engine/postgres'],
  'engine/bulk': [...leaves, 'engine/model', 'engine/shard', 'engine/monitor'],
  'engine/monitor': [...leaves, 'engine/model', 'engine/postgres'],
  // Read models over the planner's memory, in the words of the monitoring service.
  'engine/figures': [...leaves, 'engine/model', 'engine/plan', 'proto/gen'],
  // What Prometheus is told: of the planner's memory, and of what transactions say.
  'engine/metrics': [...leaves, 'engine/model', 'engine/plan', 'engine/postgres'],
  'engine/auth': [...leaves, 'engine/model', 'engine/postgres'],
  // Parsers and rules stand apart from how a call came; the generated services name the methods.
  'engine/edge': [
    ...leaves,
    'engine/auth',
    'engine/cel',
    'engine/payloads',
    'engine/model',
    'engine/plan',
    'proto/gen',
  ],
  // Other engines on the same database, and the calls that go to them.
  'engine/replicas': [...leaves, 'engine/auth', 'engine/net', 'engine/model'],
  // The planner's command and state types are the words in which the edge speaks to the owner.
  'engine/grpc': [
    ...leaves,
    namedError,
    'engine/edge',
    'engine/net',
    'engine/cel',
    'engine/payloads',
    'engine/auth',
    'engine/shard',
    'engine/dispatch',
    'engine/figures',
    'engine/monitor',
    'engine/writers',
    'engine/bulk',
    'engine/replicas',
    'engine/model',
    'engine/plan',
    'link',
    'proto/gen',
  ],
  'engine/rest': [
    ...leaves,
    namedError,
    'engine/edge',
    'engine/net',
    'engine/cel',
    'engine/payloads',
    'engine/auth',
    'engine/shard',
    'engine/dispatch',
    'engine/figures',
    // The monitoring service, whose handlers know nothing of how a call came.
    'engine/grpc/monitor-calls.ts',
    'engine/grpc/streamed-answer.ts',
    'engine/metrics',
    'engine/monitor',
    'engine/writers',
    'engine/bulk',
    'engine/replicas',
    'engine/model',
    'engine/plan',
    'proto/gen',
  ],
  // The test clock's view of the owner.
  'engine/test-clock': [...leaves, 'engine/model', 'engine/plan', 'engine/shard'],
  'engine/administration': ['engine'],
  'engine/local': ['engine'],
  'engine/wiring': ['engine'],
  engine: ['engine'],
  sdk: ['link', 'proto/gen'],
  testing: ['engine/index.ts', 'sdk'],
  cli: ['sdk', 'proto/gen', 'engine/index.ts', 'engine/main.ts'],
  page: ['proto/gen', ...sharedWithPage],
};

/**
 * Inside of a folder: which topics (its folders, and files beside them) a topic's files may import, besides their own and what is
 * `common` to all. A single file of a topic can be named too. Files beside the folders that are not here put the topics together,
 * and may import any. A folder that is not here fails the test.
 */
interface Inside {
  readonly common: readonly string[];
  readonly topics: Readonly<Record<string, readonly string[]>>;
}

/** `state` is the shard's memory, made of the structures that the topics define; nobody but the owner imports `commands`. */
const plan: Inside = {
  common: [],
  topics: {
    state: ['batch-tasks', 'concurrency', 'conditions', 'durable', 'queue', 'rate-limits', 'timers'],
    timers: ['state'],
    'rate-limits': ['state', 'queue', 'timers'],
    'batch-tasks': ['state', 'queue', 'rate-limits', 'timers'],
    queue: ['state', 'batch-tasks', 'durable', 'rate-limits', 'timers'],
    concurrency: ['state', 'queue', 'lifecycle'],
    conditions: ['state', 'queue', 'lifecycle'],
    durable: ['state', 'queue', 'conditions', 'lifecycle', 'timers'],
    lifecycle: ['state', 'queue', 'concurrency', 'conditions', 'durable', 'rate-limits', 'timers'],
    settle: ['state', 'queue', 'concurrency', 'lifecycle', 'rate-limits'],
    commands: ['state', 'queue', 'conditions', 'durable', 'lifecycle', 'rate-limits', 'timers'],
  },
};

/** In a runner no call leaves by a connection: who would make one asks which process it is in. */
const inRunner = ['isolation/in-runner/refuse-in-runner.ts', 'isolation/in-runner/runner-port.ts'];
const evictionPolicy = 'durable/eviction-policy.ts';

/** What user code throws and logs is read by `failure`; beneath `worker` nothing imports it but isolated attempts, for their reports. */
const sdk: Inside = {
  common: [
    'checked-date.ts',
    'console-capture.ts',
    'duration.ts',
    'enum-value.ts',
    'errors.ts',
    'failure',
    'json-of.ts',
    'json-text.ts',
    'thenable.ts',
    'json-value.ts',
    'logger.ts',
    'tracing.ts',
  ],
  topics: {
    failure: [],
    opentelemetry: [],
    schema: [],
    config: [],
    connection: ['config', ...inRunner],
    run: ['config', 'connection', 'schema', 'isolation/in-runner/relay.ts'],
    durable: ['connection', 'run'],
    context: ['definition', 'durable', 'run', 'schema'],
    definition: ['config', 'connection', 'context', 'run', 'schema', 'isolation/definition', evictionPolicy],
    features: ['config', 'connection', 'definition', 'run'],
    workflow: ['definition', 'features', 'run', 'schema', 'isolation/definition', evictionPolicy],
    isolation: [
      'config',
      'connection',
      'context',
      'definition',
      'run',
      'schema',
      'worker/logs/log-forgotten-calls.ts',
      'worker/attempt-result.ts',
      'worker/watch-process.ts',
    ],
    worker: ['config', 'connection', 'context', 'definition', 'durable', 'isolation', 'run', 'schema', 'workflow'],
  },
};

/** Nobody imports `commands` but the program; the dev session draws with `ui`, which knows of it no more than its events. */
const cli: Inside = {
  common: ['cli-context.ts', 'cli-error.ts', 'exit-codes.ts', 'package-root.ts', 'status-name.ts'],
  topics: {
    project: [],
    output: ['monitor/run-reader.ts'],
    'engine-process': ['output', 'project'],
    connection: ['engine-process', 'output', 'project'],
    database: ['connection', 'engine-process', 'project'],
    input: ['output', 'project'],
    scaffold: ['input', 'project'],
    monitor: ['connection', 'input', 'output', 'project'],
    durable: ['monitor', 'output', 'project'],
    admin: ['connection', 'durable', 'monitor', 'output'],
    ui: [
      'admin',
      'connection',
      'durable',
      'input',
      'monitor',
      'output',
      'project',
      'dev/events.ts',
      'dev/trouble/engine-trouble.ts',
    ],
    dev: ['admin', 'config.ts', 'connection', 'engine-process', 'monitor', 'output', 'project', 'ui'],
    embedded: ['connection', 'output'],
    mcp: ['admin', 'connection', 'input', 'monitor', 'output'],
    'command-host.ts': ['output'],
    commands: [
      'admin',
      'command-host.ts',
      'connection',
      'database',
      'dev',
      'durable',
      'engine-process',
      'input',
      'mcp',
      'monitor',
      'output',
      'project',
      'scaffold',
      'ui',
    ],
  },
};

/** The model is pure: it knows of keys and the mouse what `input` has read, and nothing of what draws it. */
const ui: Inside = {
  common: [],
  topics: { input: [], model: ['input'], views: ['model'], feeds: ['model'] },
};

/** What is read and judged stands apart from what is drawn. */
const page: Inside = {
  common: [],
  topics: {
    styles: [],
    address: [],
    model: ['address'],
    data: ['model'],
    session: ['data', 'model'],
    hooks: ['address', 'data', 'model', 'session'],
    parts: ['address', 'data', 'hooks', 'model', 'session'],
    shell: ['address', 'data', 'hooks', 'model', 'parts', 'session'],
    views: ['address', 'data', 'hooks', 'model', 'parts', 'session'],
  },
};

const insides: Readonly<Record<string, Inside>> = { 'engine/plan': plan, sdk, cli, 'cli/ui': ui, page };

/** Packages that only some folders may use. */
const packages: Record<string, readonly string[]> = {
  pg: ['engine'],
  ink: ['cli'],
  react: ['cli', 'page'],
  'react-dom/client': ['page'],
  uplot: ['page'],
  '@dagrejs/dagre': ['page'],
  commander: ['cli'],
  hono: ['engine/rest'],
  '@hono/node-server': ['engine/rest'],
  '@modelcontextprotocol/server': ['cli'],
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const importPattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/g;

function imports(file: string): string[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? '');
}

/** Without those of types alone, which are gone once the file is built. */
function valueImports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/(^|\n)\s*(?:import|export)\s+type\s[^;]*?;/g, '$1');
  return [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? '');
}

function folderOf(file: string): string | undefined {
  return Object.keys(allowed)
    .filter((key) => file === key || file.startsWith(`${key}/`))
    .sort((a, b) => b.length - a.length)[0];
}

const shipped = ['engine', 'cli', 'page', 'sdk', 'testing', 'proto/gen'].flatMap(sources);

describe('architecture', () => {
  it('knows every folder', () => {
    const engineFolders = readdirSync(join(root, 'engine'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(engineFolders.map((entry) => `engine/${entry.name}`).filter((folder) => !(folder in allowed))).toEqual([]);
  });

  it('imports only in the allowed directions', () => {
    const wrong: string[] = [];
    for (const file of shipped) {
      const own = folderOf(file);
      for (const target of imports(file)) {
        if (!target.startsWith('.')) continue;
        const path = relative(root, resolve(root, dirname(file), target));
        const inside = own !== undefined && (path === own || path.startsWith(`${own}/`));
        const permitted = (allowed[own ?? ''] ?? []).some((rule) => path === rule || path.startsWith(`${rule}/`));
        if (!inside && !permitted) wrong.push(`${file} -> ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(insides))('knows every folder inside of %s', (folder, { common, topics }) => {
    const folders = readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const known = new Set([...Object.keys(topics), ...common]);
    expect(folders.map((entry) => entry.name).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(Object.entries(insides))(
    'imports only in the allowed directions inside of %s',
    (folder, { common, topics }) => {
      const wrong: string[] = [];
      for (const file of sources(folder)) {
        const within = relative(folder, file);
        const own = within.split('/')[0] ?? '';
        const rules = topics[own] ?? (common.includes(own) ? [] : undefined);
        if (rules === undefined) continue;
        for (const target of imports(file)) {
          const path = relative(join(root, folder), resolve(root, dirname(file), target));
          if (!target.startsWith('.') || path.startsWith('..')) continue;
          const permitted = [own, ...common, ...rules].some((rule) => path === rule || path.startsWith(`${rule}/`));
          if (!permitted) wrong.push(`${file} -> ${folder}/${path}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('describes the folders of the SDK and of the command as they are', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const described = [...text.matchAll(/^\| `((?:sdk|cli)\/[\w-]+)` \| .* \| (.*) \|$/gm)].map(
      ([, folder, column]): [string, string[]] => [
        folder ?? '',
        [...(column ?? '').matchAll(/`([\w-]+)`/g)].map((match) => match[1] ?? '').sort(),
      ],
    );
    const isFolder = (path: string): boolean => !/\.tsx?$/.test(path);
    const held = Object.entries({ sdk, cli }).flatMap(([top, { topics }]) =>
      Object.entries(topics)
        .filter(([topic]) => isFolder(topic))
        .map(([topic, rules]): [string, string[]] => [
          `${top}/${topic}`,
          [...new Set(rules.map((rule) => rule.split('/')[0] ?? '').filter(isFolder))].sort(),
        ]),
    );
    expect(new Map(described)).toEqual(new Map(held));
  });

  it('keeps packages where they belong', () => {
    const wrong: string[] = [];
    for (const file of shipped) {
      for (const target of imports(file)) {
        const owners = packages[target];
        if (owners !== undefined && !owners.some((owner) => file.startsWith(`${owner}/`)))
          wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('gives browsers nothing that only Node has', () => {
    const reached = new Set<string>();
    const fromOutside = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const target of valueImports(file)) {
        if (!target.startsWith('.')) fromOutside.add(target);
        else if (/\.tsx?$/.test(target)) visit(relative(root, resolve(root, dirname(file), target)));
      }
    };
    visit('page/main.tsx');
    expect(reached.size).toBeGreaterThan(50);
    expect([...fromOutside].sort()).toEqual([
      '@cfworker/json-schema',
      '@dagrejs/dagre',
      'react',
      'react-dom/client',
      'uplot',
    ]);
  });

  it('brings none of the generated code into the page, whose size it would double', () => {
    const wrong = sources('page').filter((file) =>
      /(?:^|\n)\s*(?:import|export)\s+(?!type\b)[^;]*?from\s+'[^']*proto\/gen\//.test(
        readFileSync(join(root, file), 'utf8'),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('opens readers of runs in one place: an engine may have no monitoring service', () => {
    const users = sources('cli').filter((file) =>
      imports(file).some((target) => target.endsWith('grpc-run-reader.ts')),
    );
    expect(users).toEqual(['cli/monitor/open-reader.ts']);
  });

  /** The entry file of each process that the CLI is or starts. */
  const processEntries = ['cli/bin.ts', 'cli/commands/bench/bench-worker.ts', 'cli/embedded/sidecar.ts'];

  it('exits from the entry files of processes alone', () => {
    const exits = sources('cli').filter((file) => /process\.exit\(/.test(readFileSync(join(root, file), 'utf8')));
    expect(exits.filter((file) => !processEntries.includes(file))).toEqual([]);
  });

  it('maps to promises by async functions alone: a throw in the middle would leave those before it to nobody', () => {
    const wrong: string[] = [];
    for (const file of sources('engine')) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const match of text.matchAll(
        /Promise\.(?:all|allSettled|race)\(\s*[^;{[]*?\.(?:map|flatMap)\(\s*(?!async\b)/g,
      ))
        wrong.push(`${file}: ${match[0].slice(0, 80)}`);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps templates on the published name', () => {
    const wrong = sources('templates').flatMap((file) =>
      imports(file)
        .filter((target) => !target.startsWith('.') && !target.startsWith('hatchet-ts') && !target.startsWith('node:'))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong.filter((line) => !line.endsWith('-> zod'))).toEqual([]);
  });
});
