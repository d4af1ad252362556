import { uuidv7 } from 'uuidv7';
import {
  AdminServiceClient,
  type CancelTasksResponse,
  type ReplayTasksResponse,
  type TriggerWorkflowRunResponse,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { offersMonitor } from '../connection/monitor-offer.ts';
import { Channel } from '../connection/channel.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { ServerError } from '../output/server-error.ts';

export interface TriggerOptions {
  workflow: string;
  /** JSON. */
  input: string;
  metadata: Readonly<Record<string, string>>;
  priority: number | undefined;
}

/** Our engine takes the run's id from the caller, so that a call whose answer was lost can be repeated. Others make one of their own. */
const runIdHeader = 'hatchet-run-id';
const tries = 3;

/** The engine may have taken it: nobody can tell, and a second call would be a second run. */
function unknownOutcome(workflow: string, cause: ServerError): ServerError {
  return new ServerError(`${cause.message}. Whether ${workflow} was triggered is not known`, {
    status: cause.status,
    remedy: `See \`hatchet runs list --workflow ${workflow}\` before it is triggered again.`,
    cause,
  });
}

/** What the CLI changes in an engine, over the plain contract. */
export class RunAdmin {
  readonly #connection: Connection;
  readonly #channel: Channel<AdminServiceClient>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#channel = new Channel(AdminServiceClient, connection);
  }

  /** @returns the run's id @throws ServerError */
  async trigger({ workflow, input, metadata, priority }: TriggerOptions): Promise<string> {
    const request = {
      workflowName: workflow,
      input: Buffer.from(input),
      additionalMetadata: Buffer.from(JSON.stringify(metadata)),
      priority,
      desiredWorkerLabels: {},
    };
    const runId = uuidv7();
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#channel.call<TriggerWorkflowRunResponse>(
          (client, ...rest) => client.triggerWorkflowRun(request, ...rest),
          { [runIdHeader]: runId },
        );
        return response.externalId;
      } catch (error) {
        if (!(error instanceof ServerError) || !error.isAbsence) throw error;
        if (!(await this.#honoursRunIds())) throw unknownOutcome(workflow, error);
        if (attempt === tries) throw error;
      }
    }
  }

  /** Where it is not known, nothing may be repeated. */
  #honoursRunIds(): Promise<boolean> {
    return offersMonitor(this.#connection).catch(() => false);
  }

  /** @returns the ids that were cancelled @throws ServerError */
  async cancel(runIds: readonly string[]): Promise<readonly string[]> {
    const { cancelledTasks } = await this.#channel.call<CancelTasksResponse>((client, ...rest) =>
      client.cancelTasks({ externalIds: [...runIds] }, ...rest),
    );
    return cancelledTasks;
  }

  /** @returns the ids of the tasks that run again @throws ServerError */
  async replay(ids: readonly string[]): Promise<readonly string[]> {
    const { replayedTasks } = await this.#channel.call<ReplayTasksResponse>((client, ...rest) =>
      client.replayTasks({ externalIds: [...ids] }, ...rest),
    );
    return replayedTasks;
  }

  close(): void {
    this.#channel.close();
  }
}
