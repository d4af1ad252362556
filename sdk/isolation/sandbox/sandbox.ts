import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HatchetError } from '../../errors.ts';
import { fieldOf, textFieldOf } from '../../failure/safe-reads.ts';
import { bundleWhole } from './bundle.ts';
import { guardFolder } from '../runners/guardian.ts';
import type { IsolatedStep } from '../definition/isolated-step.ts';
import { findJailTools, jailed, type Command, type JailTools } from './jail.ts';
import { startProcess } from '../runners/process-runner.ts';
import type { RunnerLink } from '../runners/runner-link.ts';
import { runnerSource } from '../runners/runner-source.ts';

/** What to do on a machine that cannot have the kernel keep a sandbox in. */
export type WeakerSandbox = 'refuse' | 'accept';

/** Users that systemd gives to services for as long as they run, and nobody else: of root's sandboxes, one after the other. */
const firstUid = 61_184;
const lastUid = 65_519;

const probeMs = 20_000;

interface AttemptFolder {
  /** Holds the others. */
  readonly all: string;
  readonly own: string;
  readonly mountPoint: string;
  readonly uid: number | undefined;
}

/** Makes runners of sandboxes: of each module one file, and for each attempt a folder and a process. */
export class Sandbox {
  readonly #folder: string;
  readonly #tools: JailTools | undefined;
  readonly #programs = new Map<string, Promise<string>>();
  #made = 0;

  private constructor(folder: string, tools: JailTools | undefined) {
    this.#folder = folder;
    this.#tools = tools;
  }

  /**
   * @param weaker whether Node's own refusals do, where the kernel cannot help
   * @throws HatchetError ISOLATION_UNAVAILABLE
   */
  static async prepare(steps: readonly IsolatedStep[], weaker: WeakerSandbox): Promise<Sandbox> {
    const tools = findJailTools(process.env['PATH']);
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-sandbox-')));
    guardFolder(folder);
    // Of others than the worker's user too: what lies here is code, and folders that are their own.
    chmodSync(folder, 0o711);
    let sandbox = new Sandbox(folder, 'missing' in tools ? undefined : tools);
    try {
      const refused = 'missing' in tools ? tools.missing : await sandbox.#probe(steps);
      if (refused !== undefined && weaker === 'refuse') {
        throw new HatchetError(
          'ISOLATION_UNAVAILABLE',
          `this machine cannot keep the task ${steps[0]?.label ?? ''} in a sandbox: ${refused}`,
          {
            remedy:
              "Run the worker on Linux with util-linux, as root or where users may make namespaces; or accept what Node alone refuses, with the worker's option `isolation: { weakerSandbox: 'accept' }` (see the guide on isolation)",
          },
        );
      }
      if (refused !== undefined) sandbox = new Sandbox(folder, undefined);
      await Promise.all(steps.map(async (step) => await sandbox.#program(step)));
      return sandbox;
    } catch (error) {
      sandbox.remove();
      throw error;
    }
  }

  /** Whether the kernel keeps its processes in. */
  get isKept(): boolean {
    return this.#tools !== undefined;
  }

  /** A fresh process, for one attempt. */
  async start(step: IsolatedStep): Promise<RunnerLink> {
    const program = await this.#program(step);
    const folder = this.#newFolder();
    const source = runnerSource({
      level: 'sandbox',
      url: pathToFileURL(program).href,
      isBundle: true,
      args: [],
      folder: folder.own,
      network: step.grants.network,
    });
    const { file, args } = this.#command(
      step,
      folder,
      [...permissions(step, program, folder.own), '-e', source],
      [program],
    );
    return startProcess({
      file,
      args,
      env: {},
      memoryMb: step.memoryMb,
      isTrusted: false,
      uid: this.#tools === undefined ? folder.uid : undefined,
      onGone: () => rmSync(folder.all, { recursive: true, force: true }),
    });
  }

  /** With all that its processes have left. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Once a module, however many of its tasks are started at once. */
  async #program(step: IsolatedStep): Promise<string> {
    const { module } = step;
    if (module === undefined)
      throw new HatchetError('TASK_NOT_FOUND', `which module declares the task ${step.label} cannot be told`, {
        remedy: `Name it: isolation: { level: 'sandbox', module: import.meta.url }`,
      });
    let program = this.#programs.get(module);
    if (program === undefined) {
      const outfile = join(this.#folder, `program-${this.#programs.size}.mjs`);
      program = bundleWhole(module, outfile).then(() => {
        chmodSync(outfile, 0o644);
        return outfile;
      });
      this.#programs.set(module, program);
    }
    return await program;
  }

  #newFolder(): AttemptFolder {
    const number = this.#made++;
    const all = join(this.#folder, String(number));
    const [own, mountPoint] = [join(all, 'own'), join(all, 'jail')];
    mkdirSync(all, { mode: 0o711 });
    mkdirSync(mountPoint, { mode: 0o755 });
    mkdirSync(own, { mode: 0o700 });
    return { all, own, mountPoint, uid: giveTo(own, firstUid + (number % (lastUid - firstUid))) };
  }

  #command(
    step: IsolatedStep,
    { own, mountPoint, uid }: AttemptFolder,
    nodeArgs: readonly string[],
    programs: readonly string[],
  ): Command {
    const command = { file: process.execPath, args: nodeArgs };
    if (this.#tools === undefined) return command;
    const { memoryMb = 512, cpuMs = 60_000, grants } = step;
    return jailed(
      this.#tools,
      {
        mountPoint,
        visible: [own, ...programs, ...grants.read],
        network: grants.network,
        memoryMb,
        cpuMs,
        isRoot: process.getuid?.() === 0,
        uid,
      },
      command,
    );
  }

  /** @returns why it cannot be */
  async #probe(steps: readonly IsolatedStep[]): Promise<string | undefined> {
    const [first] = steps;
    if (first === undefined) return undefined;
    const strictest = steps.find(({ grants }) => !grants.network) ?? first;
    const folder = this.#newFolder();
    const { file, args } = this.#command(
      { ...strictest, grants: { ...strictest.grants, read: [] } },
      folder,
      ['-e', 'process.stdout.write("in")'],
      [],
    );
    try {
      const { stdout } = await promisify(execFile)(file, args, { env: {}, timeout: probeMs });
      return stdout === 'in' ? undefined : `its process said ${JSON.stringify(stdout)}`;
    } catch (error) {
      return (textFieldOf(error, 'stderr')?.trim() || textFieldOf(error, 'message')) ?? String(fieldOf(error, 'code'));
    } finally {
      rmSync(folder.all, { recursive: true, force: true });
    }
  }
}

/** A user of its own for a sandbox, where this worker may give one. */
function giveTo(folder: string, uid: number): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    chownSync(folder, uid, uid);
    return uid;
  } catch {
    return undefined; // root of a namespace or a container, whose privileges are not all there
  }
}

/** Node's permission model: its name has lost a word with the years, and newer versions ask about the network too. */
function permissions(step: IsolatedStep, program: string, own: string): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  return [
    known.has('--permission') ? '--permission' : '--experimental-permission',
    '--no-warnings',
    `--max-old-space-size=${Math.max(32, Math.floor((step.memoryMb ?? 512) * 0.8))}`,
    ...[program, `${own}/*`, ...step.grants.read.flatMap((path) => [path, `${path}/*`])].map(
      (path) => `--allow-fs-read=${path}`,
    ),
    `--allow-fs-write=${own}/*`,
    ...(step.grants.network && known.has('--allow-net') ? ['--allow-net'] : []),
  ];
}
