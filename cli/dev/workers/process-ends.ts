import { setTimeout as pause } from 'node:timers/promises';
import { MonitorServiceClient, type ReportProcessEndResponse } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { Channel } from '../../connection/channel.ts';
import type { Connection } from '../../connection/resolve-connection.ts';
import { ServerError } from '../../output/server-error.ts';
import type { WorkerExit } from '../events.ts';

/** An engine that is away for longer notices by itself that the worker is gone. */
const repeatForMs = 30_000;
const betweenTriesMs = 500;
/** At the end of the command. */
const farewellMs = 2_000;

/** Tells the engine of processes that have ended, so that their workers' tasks go to others at once. */
export class ProcessEnds {
  readonly #connection: () => Connection;
  readonly #open = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  /** @param process what its workers carry as the label `hatchet__process` */
  tell(process: string, { code, signal }: Pick<WorkerExit, 'code' | 'signal'>): void {
    const told = this.#tell({ process, ...(signal === null ? { exitCode: code ?? -1 } : { signal }) }).finally(() =>
      this.#open.delete(told),
    );
    this.#open.add(told);
  }

  /** Resolves once all is told, or cannot be told soon. */
  async stop(): Promise<void> {
    const late = setTimeout(() => this.#stopping.abort(), farewellMs);
    await Promise.all(this.#open);
    clearTimeout(late);
  }

  async #tell(request: { process: string; exitCode?: number; signal?: string }): Promise<void> {
    const until = performance.now() + repeatForMs;
    while (!this.#stopping.signal.aborted && performance.now() < until) {
      if (await this.#try(request)) return;
      await pause(betweenTriesMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** @returns whether there is nothing more to be said: it is told, or this engine does not hear of such things */
  async #try(request: { process: string; exitCode?: number; signal?: string }): Promise<boolean> {
    let channel: Channel<MonitorServiceClient> | undefined;
    try {
      channel = new Channel(MonitorServiceClient, this.#connection());
      await channel.call<ReportProcessEndResponse>((client, ...rest) => client.reportProcessEnd(request, ...rest));
      return true;
    } catch (error) {
      return error instanceof ServerError && !error.mayPass;
    } finally {
      channel?.close();
    }
  }
}
