import type { beginsAsItsTask } from '../run/not-awaited-yet.ts';
import type { ContextHost, WorkerLabels } from './context-host.ts';

/** The worker that runs the task. */
export class ContextWorker {
  readonly #host: ContextHost;
  readonly #begin: ReturnType<typeof beginsAsItsTask>;

  constructor(host: ContextHost, begin: ReturnType<typeof beginsAsItsTask>) {
    this.#host = host;
    this.#begin = begin;
  }

  /** The worker's id. */
  id(): string | undefined {
    return this.#host.workerId();
  }

  /** Whether this worker has registered the workflow. */
  hasWorkflow(workflowName: string): boolean {
    return this.#host.hasWorkflow(workflowName);
  }

  /** The worker's labels. */
  labels(): WorkerLabels {
    return this.#host.labels();
  }

  /** Adds or changes labels of the worker; tasks that are queued see them at once. */
  upsertLabels(labels: WorkerLabels): Promise<WorkerLabels> {
    return this.#begin(async () => await this.#host.upsertLabels(labels));
  }
}
