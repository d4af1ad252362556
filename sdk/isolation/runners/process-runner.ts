import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { guardProcess, releaseProcess } from './guardian.ts';
import { processUsage } from './process-usage.ts';
import type { RunnerEnd, RunnerLink } from './runner-link.ts';

/** Characters of what a runner prints as it dies. */
const keptOutput = 4_000;

/** A message of a sandbox: its output with all that JSON adds to it at most. */
const longestSandboxMessage = 26 * 1024 * 1024;

/** Bytes that a sandbox may say in a moment: reading them takes a fraction of the worker's time, however much it says. */
const bytesInMoment = 256 * 1024;
const momentMs = 10;

export interface ProcessCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly memoryMb: number | undefined;
  readonly isTrusted: boolean;
  /** The user and group that it runs as. @default the worker's */
  readonly uid?: number | undefined;
  /** Once it is gone. */
  onGone?(): void;
}

/** A runner in a process of its own. */
export function startProcess(command: ProcessCommand): RunnerLink {
  const { isTrusted, memoryMb, uid } = command;
  let listener: ((text: string) => void) | undefined;
  let end: RunnerEnd | undefined;
  let printed = '';
  // In a group of its own, so that it is ended with all that it has started, and Ctrl+C is the worker's alone.
  const child = spawn(command.file, command.args, {
    env: { ...command.env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    detached: true,
    windowsHide: true,
    stdio: ['ignore', isTrusted ? 'inherit' : 'ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid !== undefined) guardProcess(pid);
  child.stderr?.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString('utf8')).slice(-keptOutput);
    if (isTrusted) process.stderr.write(chunk);
  });
  const kill = (told?: RunnerEnd): void => {
    end ??= told;
    killGroup(child);
  };
  const channel = child.stdio[3];
  const flow =
    channel instanceof Duplex
      ? new LineFlow(
          channel,
          isTrusted,
          (text) => listener?.(text),
          () => kill({ code: 'OUTPUT_LIMIT', how: 'said more at once than any output may have' }),
        )
      : undefined;
  const gone = new Promise<RunnerEnd>((resolve) => {
    const finish = (how: string): void => {
      if (pid !== undefined) releaseProcess(pid);
      // What it has started, and what has its pipes open still.
      killGroup(child);
      command.onGone?.();
      resolve(
        end ??
          (isOutOfMemory(printed)
            ? {
                code: 'MEMORY_LIMIT',
                how: memoryMb === undefined ? 'ran out of memory' : `needed more than ${memoryMb} MiB of memory`,
              }
            : { code: 'RUNNER_LOST', how }),
      );
    };
    // `close` rather than `exit`: its last words are in the pipes still. But what it has started may hold them open.
    child.once('exit', (code, signal) => {
      const words = (): string => (isTrusted || printed.trim() === '' ? '' : `: ${printed.trim().slice(-500)}`);
      const ended = (): void =>
        finish(`${signal === null ? `ended with exit code ${code ?? -1}` : `was ended by ${signal}`}${words()}`);
      const late = setTimeout(ended, 200);
      child.once('close', () => {
        clearTimeout(late);
        ended();
      });
    });
    child.once('error', (error) => finish(`could not be started: ${error.message}`));
  });
  return {
    gone,
    send: (text) => flow?.write(text),
    hear: (next) => {
      listener = next;
    },
    setPaused: (paused) => flow?.setPaused(paused),
    usage: async () => (pid === undefined ? undefined : await processUsage(pid)),
    kill: async (told) => {
      kill(told);
      await gone;
    },
  };
}

function isOutOfMemory(printed: string): boolean {
  return /heap out of memory|Fatal process (?:out of memory|OOM)|out of memory/i.test(printed);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // the group is gone, or not made yet
  }
}

/** Lines in both directions. */
class LineFlow {
  readonly #channel: Duplex;
  readonly #isTrusted: boolean;
  readonly #onLine: (line: string) => void;
  readonly #onFlood: () => void;
  #unread = '';
  #inMoment = 0;
  #moment: NodeJS.Timeout | undefined;
  #isPaused = false;

  constructor(channel: Duplex, isTrusted: boolean, onLine: (line: string) => void, onFlood: () => void) {
    this.#channel = channel;
    this.#isTrusted = isTrusted;
    this.#onLine = onLine;
    this.#onFlood = onFlood;
    channel.setEncoding('utf8');
    channel.on('data', (chunk: string) => this.#take(chunk));
    // The end of the process tells all.
    channel.on('error', () => undefined);
    channel.on('close', () => clearTimeout(this.#moment));
  }

  write(text: string): void {
    if (this.#channel.writable) this.#channel.write(`${text}\n`);
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused;
    this.#flow();
  }

  #take(chunk: string): void {
    const from = this.#unread.length;
    this.#unread += chunk;
    for (let start = 0, end = this.#unread.indexOf('\n', from); ; end = this.#unread.indexOf('\n', start)) {
      if (end === -1) {
        this.#unread = this.#unread.slice(start);
        break;
      }
      this.#onLine(this.#unread.slice(start, end));
      start = end + 1;
    }
    if (this.#isTrusted) return;
    if (this.#unread.length > longestSandboxMessage) {
      this.#unread = '';
      this.#onFlood();
    }
    this.#inMoment += chunk.length;
    this.#moment ??= setTimeout(() => {
      this.#moment = undefined;
      this.#inMoment = 0;
      this.#flow();
    }, momentMs);
    this.#flow();
  }

  #flow(): void {
    if (this.#isPaused || this.#inMoment > bytesInMoment) this.#channel.pause();
    else this.#channel.resume();
  }
}
