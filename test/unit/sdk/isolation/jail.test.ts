import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textFieldOf } from '../../../../sdk/failure/safe-reads.ts';
import { findJailTools, jailed, type JailFacts, type JailTools } from '../../../../sdk/isolation/sandbox/jail.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { kernelKeepsSandboxes } from '../../../helpers/kernel-sandbox.ts';
import { patient } from '../../../helpers/patient.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';

const folder = makeTempFolder('jail');
const isRoot = process.getuid?.() === 0;
let tools: JailTools;
let listener: Server;
let port: number;
let made = 0;

beforeAll(async () => {
  const found = findJailTools(process.env['PATH']);
  if ('missing' in found) throw new Error(found.missing);
  tools = found;
  listener = createServer();
  port = await freePort();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  writeFileSync(join(folder, 'secret'), 'the secret of another');
});

afterAll(() => {
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a program prints that the kernel alone keeps in: without Node's permission model, and with no module replaced. */
async function inJail(program: string, { uid, ...more }: Partial<JailFacts> = {}): Promise<unknown> {
  const all = join(folder, String(made++));
  const [own, mountPoint] = [join(all, 'own'), join(all, 'jail')];
  for (const path of [all, own, mountPoint]) mkdirSync(path);
  writeFileSync(join(own, 'note'), 'mine');
  chmodSync(own, 0o777);
  if (uid !== undefined) chownSync(own, uid, uid);
  const code = `const own = ${JSON.stringify(own)}; const fs = require('node:fs'); const attempt = (what) => { try { return what(); } catch (error) { return error.code; } }; ${program}`;
  const { file, args } = jailed(
    tools,
    {
      mountPoint,
      visible: [own],
      network: false,
      memoryMb: 128,
      cpuMs: 30_000,
      isRoot: uid !== undefined,
      uid,
      ...more,
    },
    { file: process.execPath, args: ['-e', code] },
  );
  // Of a worker that is not root, the command is run by another user.
  const asUser =
    isRoot && uid === undefined ? ['setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups', '--'] : [];
  const [command = '', ...rest] = [...asUser, file, ...args];
  if (asUser.length > 0) for (const path of [all, own, mountPoint]) chownSync(path, 12_345, 12_345);
  const { stdout } = await promisify(execFile)(command, rest, {
    env: {},
    timeout: patient.timeout,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout);
}

const seen = `
const net = require('node:net');
const status = ['/etc/passwd', ${JSON.stringify(join(folder, 'secret'))}, '/proc/self/status', '/root', '/home'].map((path) => attempt(() => fs.statSync(path).size));
const socket = net.connect(PORT, '127.0.0.1').on('connect', () => finish('connected')).on('error', (error) => finish(error.code));
function finish(network) {
  socket.destroy(); // one that is connected, which it must not be, would keep the process
  console.log(JSON.stringify({
    status, network, pid: process.pid, note: attempt(() => fs.readFileSync(own + '/note', 'utf8')), wrote: attempt(() => fs.writeFileSync(own + '/new', 'x') ?? 'yes'),
    system: attempt(() => fs.writeFileSync('/usr/new', 'x')), kill: attempt(() => process.kill(PARENT, 0)), mount: require('node:child_process').spawnSync('/bin/mount', ['-t', 'tmpfs', 'none', own]).status !== 0, root: attempt(() => process.setuid(0) ?? process.getuid()),
  }));
}`;

describe.runIf(kernelKeepsSandboxes)('a jail', () => {
  const filled = (): string => seen.replace('PORT', String(port)).replace('PARENT', String(process.pid));
  const kept = {
    status: ['ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', 'ENOENT'],
    network: 'ENETUNREACH',
    pid: 1,
    note: 'mine',
    wrote: 'yes',
    kill: 'ESRCH',
    mount: true,
  };

  it("keeps a process of root's worker from files, network, processes and privileges", async () => {
    // A worker that is not root can give no user away, and has the other way.
    expect(await inJail(filled(), isRoot ? { uid: 61_300 } : {})).toEqual({
      ...kept,
      system: 'EACCES',
      root: isRoot ? 'EPERM' : 0,
    });
  });

  it("keeps a process of another user's worker in as well", async () => {
    // It is root by name, in a namespace where that gives nothing.
    expect(await inJail(filled())).toEqual({ ...kept, system: 'EACCES', root: 0 });
  });

  it('shows the network and the files that are granted', async () => {
    const secret = join(folder, 'secret');
    const program = `require('node:net').connect(${port}, '127.0.0.1').on('connect', function () { console.log(JSON.stringify(fs.readFileSync(${JSON.stringify(secret)}, 'utf8'))); this.destroy(); })`;
    expect(await inJail(program, { network: true, visible: [secret] })).toBe('the secret of another');
  });

  it('gives no more memory, processor and file than allowed', async () => {
    const memory =
      'const kept = []; let failed; try { for (;;) kept.push(Buffer.alloc(16 * 1024 ** 2, 1)); } catch (error) { failed = error.message; } console.log(JSON.stringify({ failed, few: kept.length < 40 }));';
    // Whichever of the two asks for too much: the program, or V8 as it tidies up for it.
    const refused = await inJail(memory).catch((error: unknown) => ({
      failed: /heap out of memory/.exec(textFieldOf(error, 'stderr') ?? '')?.[0],
      few: true,
    }));
    expect(refused).toEqual({
      failed: expect.stringMatching(/^(?:Array buffer allocation failed|heap out of memory)$/),
      few: true,
    });
    // Not by the time that this test gives it.
    await expect(inJail('for (;;);', { cpuMs: 1 })).rejects.toMatchObject({ killed: false });
    expect(
      await inJail(
        "console.log(JSON.stringify(attempt(() => { process.on('SIGXFSZ', () => {}); for (;;) fs.appendFileSync(own + '/long', Buffer.alloc(8 * 1024 ** 2)); })))",
      ),
    ).toBe('EFBIG');
  });

  it('says what is missing', () => {
    expect(findJailTools('/nowhere')).toEqual(tools); // the system's own folders are looked through as well
  });
});
