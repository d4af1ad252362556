import type { Hatchet } from '../../sdk/index.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { sdkOf } from '../connection/with-sdk.ts';
import { currentBranch } from '../durable/log-tree.ts';
import { RestClient } from '../monitor/rest/rest-client.ts';
import { RestRunReader } from '../monitor/rest/rest-run-reader.ts';
import type { NodePlace } from './node-place.ts';

/** What the REST API of the contract does with durable tasks. */
export class RestDurable {
  readonly #hatchet: Hatchet;
  readonly #client: RestClient;
  readonly #reader: RestRunReader;

  constructor(connection: Connection) {
    this.#hatchet = sdkOf(connection);
    this.#client = new RestClient(this.#hatchet.config);
    this.#reader = new RestRunReader(connection);
  }

  /** A cluster wants to be told the branch. @throws ServerError */
  async branch({ taskId, branch, node }: NodePlace): Promise<{ taskId: string; branch: number; node: number }> {
    const log = await this.#reader.getDurableLog(taskId);
    const branchId = branch ?? currentBranch(log);
    const made = await this.#client.post<{ taskExternalId: string; nodeId: number; branchId: number }>(
      '/api/v1/stable/tenants/:tenant/durable-tasks/branch',
      { taskExternalId: log.taskId, nodeId: node, branchId },
    );
    return { taskId: made.taskExternalId, branch: made.branchId, node: made.nodeId };
  }

  /** @throws ServerError */
  async restore(id: string): Promise<{ taskId: string; requeued: boolean }> {
    const { taskId } = await this.#reader.getDurableLog(id);
    const { requeued } = await this.#client.post<{ requeued: boolean }>(`/api/v1/stable/tasks/${taskId}/restore`);
    return { taskId, requeued };
  }

  close(): void {
    this.#reader.close();
    this.#hatchet.close();
  }
}
