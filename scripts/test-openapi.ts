// The REST API of a real engine against its own document, by schemathesis (PyPI): `npm run test:openapi` (half a minute, once it is
// installed). Thousands of requests, good and bad ones: no answer may be a server's error, of a status or a type that the document
// does not name, or of another shape than it says. Needs python3; arguments are schemathesis's own, such as `--seed 1` or `-n 100`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deleteData, startEngine } from '../engine/index.ts';
import { Hatchet } from '../sdk/index.ts';

const version = '4.32.5';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const environment = join(root, 'node_modules', '.cache', `schemathesis-${version}`);
const folder = mkdtempSync(join(tmpdir(), 'hatchet-openapi-'));
const dataDir = join(folder, 'data');

/** @returns its exit code */
async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', cwd: folder });
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}

async function install(): Promise<void> {
  if (existsSync(join(environment, 'bin', 'schemathesis'))) return;
  const installed =
    (await run('python3', ['-m', 'venv', environment])) === 0 &&
    (await run(join(environment, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${version}`])) === 0;
  if (!installed) throw new Error(`schemathesis could not be installed into ${environment}`);
}

async function test(): Promise<number> {
  const engine = await startEngine({ dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' });
  try {
    const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
    // With a tenant that is there, requests come further than to "there is no such tenant".
    writeFileSync(join(folder, 'schemathesis.toml'), `[parameters]\n"path.tenant" = "${hatchet.tenantId}"\n`);
    hatchet.close();
    const address = `http://${engine.http.host}:${engine.http.port}`;
    return await run(join(environment, 'bin', 'schemathesis'), [
      'run',
      `${address}/api/v1/openapi.json`,
      `--url=${address}`,
      `--header=Authorization: Bearer ${engine.token}`,
      '--phases=coverage,fuzzing',
      '--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance',
      // Streams do not end.
      '--exclude-path-regex=monitor/(Stream|Export)',
      '--no-color',
      ...process.argv.slice(2),
    ]);
  } finally {
    await engine.stop();
    await deleteData(dataDir);
  }
}

let status = 1;
try {
  await install();
  status = await test();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
