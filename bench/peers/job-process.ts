/** The measuring process's side of a client or a worker. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endChild } from './end-child.ts';
import { here } from './helpers.ts';
import type { FromProcess, Reply, Request, ToProcess } from './messages.ts';

export class JobProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  /** Who is told of jobs that the worker entered. */
  onEntered: (jobs: number[]) => void = () => undefined;
  onLastEntered: () => void = () => undefined;
  /** Rejects once it has ended, however it did. */
  readonly ended: Promise<never>;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    child.on('message', (message: FromProcess) => this.#read(message));
    this.ended = new Promise((_resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`a client or worker ended with ${signal ?? code}`)));
    });
    // Whoever asks is told; nobody may.
    this.ended.catch(() => undefined);
  }

  /** Resolves once its packages are loaded. */
  static async fork(contestant: string, node: string): Promise<JobProcess> {
    const child = fork(join(here, 'process.ts'), [contestant], {
      execPath: node,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    if (child.pid === undefined) throw new Error('a process could not be started');
    const started = new JobProcess(child, child.pid);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(`a process of ${contestant} ended before it was ready`);
      }),
    ]);
    return started;
  }

  ask(request: Request): Promise<Reply> {
    const id = this.#nextId++;
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#send({ id, request });
    });
    return Promise.race([reply, this.ended]);
  }

  tellEntered(jobs: number[]): void {
    this.#send({ entered: jobs });
  }

  end(): Promise<void> {
    return endChild(this.#child);
  }

  #send(message: ToProcess): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #read(message: FromProcess): void {
    if ('entered' in message) this.onEntered(message.entered);
    else if ('lastEntered' in message) this.onLastEntered();
    else if ('id' in message) {
      const asked = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if ('reply' in message) asked?.resolve(message.reply);
      else asked?.reject(new Error(message.failed));
    }
  }
}
