import { checkedDate } from '../checked-date.ts';
import { applyNamespace } from '../config/client-config.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { durationToMs, type Duration } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import type { Priority } from '../run/run-options.ts';
import { produced, withCarried } from '../tracing.ts';
import {
  idOf,
  nameOf,
  ofKnownWorkflow,
  type ResourceMetadata,
  type ResourceRef,
  type WorkflowRef,
} from './resource.ts';

/**
 * At a time; or so long from now, which is by the engine's clock where that is a test engine's of this process. A time that
 * is reckoned from `Date.now()` stays behind there once the clock was moved.
 */
export type ScheduledTime = { triggerAt: Date; delay?: undefined } | { delay: Duration; triggerAt?: undefined };

export type CreateScheduledRun = ScheduledTime & {
  input?: object | undefined;
  additionalMetadata?: Readonly<Record<string, string>> | undefined;
  priority?: Priority | undefined;
};

export interface ScheduledRun {
  metadata: ResourceMetadata;
  workflowId: string;
  workflowName: string;
  triggerAt: string;
  input?: object;
  additionalMetadata?: object;
  /** Once it has run. */
  workflowRunId?: string;
  workflowRunStatus?: string;
  priority?: number;
}

/** Runs at a time. */
export class ScheduledClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws HatchetError INVALID_ARGUMENT, INVALID_DURATION, UNKNOWN_WORKFLOW */
  async create(workflow: WorkflowRef, run: CreateScheduledRun): Promise<ScheduledRun> {
    const { config } = this.#connection;
    const { input = {}, additionalMetadata = {}, priority } = run;
    const name = nameOf(workflow);
    const target = encodeURIComponent(applyNamespace(name, config.namespace).toLowerCase());
    const triggerAt = this.#timeOf(run);
    const span = () => ({
      name: 'hatchet.schedule_workflow',
      facts: { workflow_name: name, run_at_timestamps: JSON.stringify([triggerAt]), priority },
      payload: input,
    });
    return await produced(config.tracing, span, (carried) =>
      ofKnownWorkflow(
        workflow,
        callRest<ScheduledRun>(config, 'POST', `/api/v1/tenants/${config.tenantId}/workflows/${target}/scheduled`, {
          body: { triggerAt, input, additionalMetadata: withCarried(additionalMetadata, carried), priority },
          notFound: 'UNKNOWN_WORKFLOW',
        }),
      ),
    );
  }

  /** @throws HatchetError */
  async list(query: { workflowId?: string; limit?: number; offset?: number } = {}): Promise<{ rows?: ScheduledRun[] }> {
    return callRest(this.#connection.config, 'GET', this.#path(''), { query });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(run: ResourceRef): Promise<ScheduledRun> {
    return callRest<ScheduledRun>(this.#connection.config, 'GET', this.#path(`/${encodeURIComponent(idOf(run))}`));
  }

  /** Moves one that has not run. @throws HatchetError UNKNOWN_RUN, INVALID_ARGUMENT, INVALID_DURATION */
  async update(run: ResourceRef, change: ScheduledTime): Promise<ScheduledRun> {
    return callRest<ScheduledRun>(this.#connection.config, 'PATCH', this.#path(`/${encodeURIComponent(idOf(run))}`), {
      body: { triggerAt: this.#timeOf(change) },
    });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async delete(run: ResourceRef): Promise<void> {
    await callRest(this.#connection.config, 'DELETE', this.#path(`/${encodeURIComponent(idOf(run))}`));
  }

  /** Those that have run already, and unknown ones, are in `errors`. @throws HatchetError */
  async bulkDelete(
    runs: readonly ResourceRef[],
  ): Promise<{ deletedIds: string[]; errors: { id?: string; error: string }[] }> {
    return callRest(this.#connection.config, 'POST', this.#path('/bulk-delete'), {
      body: { scheduledWorkflowRunIds: runs.map(idOf) },
    });
  }

  #timeOf({ triggerAt, delay }: ScheduledTime): string {
    if ((triggerAt === undefined) === (delay === undefined))
      throw new HatchetError('INVALID_ARGUMENT', 'a scheduled run needs either triggerAt or delay', {
        remedy:
          "Give a time, such as triggerAt: new Date('2030-01-31T12:00:00Z'), or how long from now, such as delay: '10m'",
      });
    const time =
      delay === undefined
        ? checkedDate(triggerAt, 'triggerAt')
        : new Date(this.#connection.config.now().getTime() + durationToMs(delay));
    return time.toISOString();
  }

  #path(rest: string): string {
    return `/api/v1/tenants/${this.#connection.config.tenantId}/workflows/scheduled${rest}`;
  }
}
