import { MonitorServiceClient, type BranchTaskResponse, type RestoreTaskResponse, type SkipSleepResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { Channel } from '../connection/channel.ts';
import type { Connection } from '../connection/resolve-connection.ts';

/** A node of a durable task's log; without a branch, on the one that the task is on. */
export interface NodePlace {
  taskId: string;
  branch?: number | undefined;
  node: number;
}

/** What a person does with durable tasks. */
export class DurableAdmin {
  readonly #channel: Channel<MonitorServiceClient>;

  constructor(connection: Connection) {
    this.#channel = new Channel(MonitorServiceClient, connection);
  }

  /** Starts the task again from the node. @throws ServerError */
  async branch({ taskId, branch, node }: NodePlace): Promise<{ taskId: string; branch: number; node: number }> {
    const made = await this.#channel.call<BranchTaskResponse>((client, ...rest) => client.branchTask({ taskId, branch, node }, ...rest));
    return { taskId: made.taskId, branch: made.branch, node: made.node };
  }

  /** Wakes an evicted task. @throws ServerError */
  async restore(taskId: string): Promise<{ taskId: string; requeued: boolean }> {
    const answer = await this.#channel.call<RestoreTaskResponse>((client, ...rest) => client.restoreTask({ taskId }, ...rest));
    return { taskId: answer.taskId, requeued: answer.requeued };
  }

  /** @throws ServerError where the engine does not allow it */
  async skipSleep({ taskId, branch, node }: NodePlace): Promise<void> {
    await this.#channel.call<SkipSleepResponse>((client, ...rest) => client.skipSleep({ taskId, branch, node }, ...rest));
  }

  close(): void {
    this.#channel.close();
  }
}
