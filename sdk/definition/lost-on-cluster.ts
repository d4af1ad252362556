import {
  ConcurrencyLimitStrategy,
  type Concurrency,
  type CreateTaskOpts,
  type CreateWorkflowVersionRequest,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { repeatForMs } from '../connection/repeat-calls.ts';
import { HatchetError } from '../errors.ts';

/** Names with which a cluster's limits are looked through: a part of a key finds all that have it. */
const mostLimits = 1_000;

const theirs: ReadonlySet<ConcurrencyLimitStrategy> = new Set([
  ConcurrencyLimitStrategy.CANCEL_IN_PROGRESS,
  ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
  ConcurrencyLimitStrategy.CANCEL_NEWEST,
]);

/** What a registration has that a Hatchet cluster would leave out, and so break the limit in silence; by the options' names. */
export function beyondContract(request: CreateWorkflowVersionRequest): string[] {
  const tasks = allTasks(request);
  const limits = [
    ...request.concurrencyArr.map((limit) => ({ limit, of: `the workflow ${request.name}` })),
    ...tasks.flatMap((task) => task.concurrency.map((limit) => ({ limit, of: `the task ${task.readableId}` }))),
  ];
  return limits.flatMap(({ limit, of }) => unknownLimit(limit).map((what) => `${what} of ${of}`));
}

function unknownLimit({ maxRunsExpression, isTenantScoped, limitStrategy }: Concurrency): string[] {
  return [
    ...(maxRunsExpression === undefined ? [] : ['concurrency.maxRuns as an expression']),
    ...(isTenantScoped === true ? ['concurrency.isTenantScoped'] : []),
    ...(limitStrategy === undefined || theirs.has(limitStrategy)
      ? []
      : [`concurrency.limitStrategy ${strategyName(limitStrategy)}`]),
  ];
}

function strategyName(strategy: ConcurrencyLimitStrategy): string {
  return Object.entries(ConcurrencyLimitStrategy).find(([, value]) => value === strategy)?.[0] ?? String(strategy);
}

function allTasks({ tasks, onFailureTask }: CreateWorkflowVersionRequest): CreateTaskOpts[] {
  return [...tasks, ...(onFailureTask === undefined ? [] : [onFailureTask])];
}

/** Keys of the limits that must have been put. */
function staticLimits(request: CreateWorkflowVersionRequest): string[] {
  return [
    ...new Set(
      allTasks(request).flatMap(({ rateLimits }) =>
        rateLimits.flatMap(({ key, keyExpr }) => (keyExpr === undefined ? [key] : [])),
      ),
    ),
  ];
}

/**
 * Finds by name what this engine would break in silence, and limits that it takes for a fault of its own where
 * they were not put. An engine that offers `definitions` is asked nothing.
 * @throws HatchetError NOT_SUPPORTED; INVALID_DEFINITION
 */
export async function checkBeyondContract(
  connection: Connection,
  request: CreateWorkflowVersionRequest,
): Promise<void> {
  const refused = beyondContract(request);
  const keys = staticLimits(request);
  if (refused.length + keys.length === 0) return;
  const offers = await connection.offers.ask({ patienceMs: repeatForMs }).catch(() => undefined);
  // One that is away says so at the registration itself.
  if (offers === undefined || offers.definitions) return;
  if (refused.length > 0) {
    throw new HatchetError(
      'NOT_SUPPORTED',
      `this engine does not have what the workflow ${request.name} uses: ${refused.join(', ')}`,
      { remedy: 'Leave it out there: docs/guides/cluster.md says what a Hatchet cluster has in its place' },
    );
  }
  for (const key of keys) await requireLimit(connection, request.name, key);
}

async function requireLimit({ config }: Connection, workflow: string, key: string): Promise<void> {
  const search = { search: key, limit: mostLimits };
  const found = await callRest<{ rows?: { key: string }[] }>(
    config,
    'GET',
    `/api/v1/tenants/${config.tenantId}/rate-limits`,
    { query: search },
  ).catch(() => undefined);
  if (found === undefined || (found.rows ?? []).some((row) => row.key === key)) return;
  throw new HatchetError(
    'INVALID_DEFINITION',
    `the workflow ${workflow} uses the rate limit ${key}, which nobody has put`,
    {
      remedy: `Put it first: hatchet.ratelimits.upsert({ key: ${JSON.stringify(key)}, limit: …, duration: 'MINUTE' })`,
    },
  );
}
