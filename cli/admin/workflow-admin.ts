import type { Hatchet } from '../../sdk/index.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { sdkOf } from '../connection/with-sdk.ts';

/** What the terminal UI changes besides runs: workflows, crons and scheduled runs, over the REST contract. */
export class WorkflowAdmin {
  readonly #hatchet: Hatchet;

  constructor(connection: Connection) {
    this.#hatchet = sdkOf(connection);
  }

  /** A paused workflow's queued tasks wait; its running ones finish. @throws HatchetError */
  async pause(workflow: string, paused: boolean): Promise<void> {
    await (paused ? this.#hatchet.workflows.pause(workflow) : this.#hatchet.workflows.unpause(workflow));
  }

  /** @throws HatchetError */
  async enableCron(cronId: string, enabled: boolean): Promise<void> {
    await this.#hatchet.crons.update(cronId, { enabled });
  }

  /** A run as the cron's next tick would make it; the tick comes all the same. @returns the run's id @throws HatchetError */
  async runCron(cronId: string): Promise<string> {
    const {
      workflowName,
      input = {},
      additionalMetadata = {},
      name,
      cron,
      priority,
    } = await this.#hatchet.crons.get(cronId);
    const metadata = { ...additionalMetadata, hatchet__cron_name: name ?? cron, hatchet__cron_expression: cron };
    const run = await this.#hatchet.runNoWait(workflowName, input, {
      additionalMetadata: metadata,
      ...(priority === 1 || priority === 2 || priority === 3 ? { priority } : {}),
    });
    return run.runId;
  }

  /** @throws HatchetError */
  async deleteCron(cronId: string): Promise<void> {
    await this.#hatchet.crons.delete(cronId);
  }

  /** @throws HatchetError for one that has run */
  async runSchedule(scheduleId: string): Promise<void> {
    await this.#hatchet.scheduled.update(scheduleId, { triggerAt: new Date() });
  }

  /** @throws HatchetError for one that has run */
  async deleteSchedule(scheduleId: string): Promise<void> {
    await this.#hatchet.scheduled.delete(scheduleId);
  }

  close(): void {
    this.#hatchet.close();
  }
}
