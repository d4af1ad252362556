import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { durationToMs } from '../../duration.ts';
import { HatchetError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { AttemptResult } from '../../worker/attempt-result.ts';
import { bundleProject } from '../sandbox/bundle.ts';
import { guardFolder, holdGuardian } from '../runners/guardian.ts';
import type { IsolatedStep } from '../definition/isolated-step.ts';
import type { IsolationOptions } from './isolation-options.ts';
import { findJailTools } from '../sandbox/jail.ts';
import { startProcess } from '../runners/process-runner.ts';
import { tellsUsage } from '../runners/process-usage.ts';
import { runAttempt, type AttemptEnd, type IsolatedAttempt } from './run-attempt.ts';
import { runnerExecArgv } from '../runners/runner-args.ts';
import type { RunnerLink } from '../runners/runner-link.ts';
import { RunnerPool } from '../runners/runner-pool.ts';
import { runnerSource, type RunnerFacts } from '../runners/runner-source.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { startThread } from '../runners/thread-runner.ts';

const usualIdleTime = '60s';

/** Of a process: its heap's share of the memory that it may have. */
const heapShare = 0.8;

/** Runs the attempts of a worker whose tasks are kept apart. */
export class IsolatedTasks {
  readonly #options: IsolationOptions;
  readonly #logger: Logger;
  readonly #pool: RunnerPool;
  /** Modules that Node could not load as they are, and what was made of them. */
  readonly #bundles = new Map<string, Promise<string>>();
  #folder: string | undefined;
  #sandbox: Sandbox | undefined;
  #letGo: () => void = () => {};

  /** @throws HatchetError INVALID_ARGUMENT, INVALID_DURATION */
  constructor(options: IsolationOptions, logger: Logger) {
    const { runners = availableParallelism(), idleRunners = runners, idleTime = usualIdleTime } = options;
    checkCount('runners', runners, 1);
    checkCount('idleRunners', idleRunners, 0);
    this.#options = options;
    this.#logger = logger;
    this.#pool = new RunnerPool({
      size: runners,
      idle: Math.min(idleRunners, runners),
      idleMs: durationToMs(idleTime),
    });
  }

  /**
   * Makes ready what the steps need, before the worker takes tasks.
   * @throws HatchetError ISOLATION_UNAVAILABLE, where this machine cannot keep apart what is to be kept apart; TASK_NOT_FOUND
   */
  async prepare(steps: readonly IsolatedStep[]): Promise<void> {
    if (steps.every(({ level }) => level === 'thread')) return;
    const limited = steps.find(
      ({ level, memoryMb, cpuMs }) => level !== 'thread' && (memoryMb !== undefined || cpuMs !== undefined),
    );
    if (limited !== undefined && !tellsUsage)
      throw new HatchetError(
        'ISOLATION_UNAVAILABLE',
        `${process.platform} does not tell what a process uses, so that the limits of the task ${limited.label} cannot be kept`,
        { remedy: 'Run the worker on Linux or macOS, or leave out memoryMb and cpuTime' },
      );
    this.#letGo();
    this.#letGo = holdGuardian();
    const sandboxed = steps.filter(({ level }) => level === 'sandbox');
    if (sandboxed.length === 0) return;
    this.#sandbox?.remove();
    this.#sandbox = await Sandbox.prepare(sandboxed, this.#options.weakerSandbox ?? 'refuse');
    if (!this.#sandbox.isKept)
      await this.#logger.warn(
        'the kernel of this machine keeps no sandbox in: Node alone refuses what is not granted, which does not stop code that sets its mind on it',
      );
  }

  /** Runs an attempt. Rejects only where it was cancelled before it began. */
  async run(attempt: IsolatedAttempt): Promise<AttemptResult> {
    const { step } = attempt;
    const first = await this.#try(attempt);
    if (
      first.wantsBundle !== true ||
      step.module === undefined ||
      step.level === 'sandbox' ||
      this.#bundles.has(step.module)
    )
      return first.result;
    // Modules of TypeScript that a test runner has compiled for itself, as it does.
    await this.#bundle(step.module);
    return (await this.#try(attempt)).result;
  }

  /** Ends all runners, and removes what they had. */
  async stop(): Promise<void> {
    await this.#pool.stop();
    this.#sandbox?.remove();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#bundles.clear();
    this.#sandbox = this.#folder = undefined;
    this.#letGo();
  }

  async #try(attempt: IsolatedAttempt): Promise<AttemptEnd> {
    const { step, signal } = attempt;
    const key = JSON.stringify([step.level, step.module, step.memoryMb, this.#bundles.has(step.module ?? '')]);
    return await this.#pool.with(key, {
      start: async () => await this.#start(step),
      use: async (link) => {
        const end = await runAttempt(link, attempt);
        return { result: end, isReusable: end.isReusable };
      },
      signal,
    });
  }

  async #start(step: IsolatedStep): Promise<RunnerLink> {
    const { level, memoryMb } = step;
    if (level === 'sandbox') {
      if (this.#sandbox === undefined)
        throw new HatchetError('ISOLATION_UNAVAILABLE', `the sandbox of the task ${step.label} was not made ready`, {
          remedy: 'Register its workflow before the worker starts',
        });
      return await this.#sandbox.start(step);
    }
    const facts: RunnerFacts = {
      level,
      url: pathToFileURL(await this.#moduleOf(step)).href,
      isBundle: this.#bundles.has(step.module ?? ''),
      args: process.argv.slice(2),
      folder: undefined,
      network: true,
    };
    if (level === 'thread') return startThread(facts, memoryMb);
    const heap = memoryMb === undefined ? [] : [`--max-old-space-size=${Math.floor(memoryMb * heapShare)}`];
    const args = [...runnerExecArgv(process.execArgv), ...heap, '-e', runnerSource(facts)];
    return startProcess({
      ...limitedMemory(memoryMb, { file: process.execPath, args }),
      env: process.env,
      memoryMb,
      isTrusted: true,
    });
  }

  async #moduleOf({ label, module, level }: IsolatedStep): Promise<string> {
    if (module === undefined)
      throw new HatchetError('TASK_NOT_FOUND', `which module declares the task ${label} cannot be told`, {
        remedy: `Declare it at the top level of a module, or name the module: isolation: { level: '${level}', module: import.meta.url }`,
      });
    return (await this.#bundles.get(module)) ?? module;
  }

  async #bundle(module: string): Promise<void> {
    if (this.#folder === undefined) {
      this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-tasks-')));
      guardFolder(this.#folder);
    }
    const outfile = join(this.#folder, `module-${this.#bundles.size}.mjs`);
    const made = bundleProject(module, outfile).then(() => outfile);
    this.#bundles.set(module, made);
    await made;
  }
}

/** Where there is a way, the kernel gives no more memory than that; else the worker looks at it ten times a second. */
function limitedMemory(
  memoryMb: number | undefined,
  command: { file: string; args: readonly string[] },
): { file: string; args: readonly string[] } {
  const tools = memoryMb === undefined ? undefined : findJailTools(process.env['PATH']);
  if (memoryMb === undefined || tools === undefined || 'missing' in tools) return command;
  return {
    file: tools.prlimit,
    args: [`--data=${(memoryMb + 192) * 1024 * 1024}`, '--', command.file, ...command.args],
  };
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new HatchetError('INVALID_ARGUMENT', `isolation.${name} of the worker is ${String(value)}`, {
      remedy: `Use a whole number from ${least}`,
    });
}
