import {
  MonitorServiceClient,
  type BranchTaskResponse,
  type RestoreTaskResponse,
  type SkipSleepResponse,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { Channel } from '../connection/channel.ts';
import { lacksMonitor, noteMonitor } from '../connection/monitor-offer.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { NotOffered } from '../monitor/not-offered.ts';
import type { NodePlace } from './node-place.ts';
import type { RestDurable } from './rest-durable.ts';

/** What a person does with durable tasks; over REST where an engine has no monitoring service. */
export class DurableAdmin {
  readonly #connection: Connection;
  readonly #channel: Channel<MonitorServiceClient>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#channel = new Channel(MonitorServiceClient, connection);
  }

  /** Starts the task again from the node. @throws ServerError */
  async branch({ taskId, branch, node }: NodePlace): Promise<{ taskId: string; branch: number; node: number }> {
    try {
      const made = await this.#channel.call<BranchTaskResponse>((client, ...rest) =>
        client.branchTask({ taskId, branch, node }, ...rest),
      );
      return { taskId: made.taskId, branch: made.branch, node: made.node };
    } catch (error) {
      return await this.#overRest(error, (rest) => rest.branch({ taskId, branch, node }));
    }
  }

  /** Wakes an evicted task. @throws ServerError */
  async restore(taskId: string): Promise<{ taskId: string; requeued: boolean }> {
    try {
      const answer = await this.#channel.call<RestoreTaskResponse>((client, ...rest) =>
        client.restoreTask({ taskId }, ...rest),
      );
      return { taskId: answer.taskId, requeued: answer.requeued };
    } catch (error) {
      return await this.#overRest(error, (rest) => rest.restore(taskId));
    }
  }

  /** @throws ServerError where the engine does not allow it, NotOffered where it cannot */
  async skipSleep({ taskId, branch, node }: NodePlace): Promise<void> {
    try {
      await this.#channel.call<SkipSleepResponse>((client, ...rest) =>
        client.skipSleep({ taskId, branch, node }, ...rest),
      );
    } catch (error) {
      throw lacksMonitor(error) ? new NotOffered('skip', error) : error;
    }
  }

  async #overRest<T>(error: unknown, act: (rest: RestDurable) => Promise<T>): Promise<T> {
    if (!lacksMonitor(error)) throw error;
    noteMonitor(this.#connection, false);
    const { RestDurable } = await import('./rest-durable.ts');
    const rest = new RestDurable(this.#connection);
    try {
      return await act(rest);
    } finally {
      rest.close();
    }
  }

  close(): void {
    this.#channel.close();
  }
}
