import { uuidv7 } from 'uuidv7';
import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';
import { BulkTriggerIdempotencyCollisionError, IdempotencyCollisionError } from '../errors.ts';
import { relay } from '../isolation/in-runner/relay.ts';
import { collisionOf } from './collision.ts';

/** Where a run's own id travels: with it a repeated trigger starts nothing new. A Hatchet cluster ignores it. */
const runIdHeader = 'hatchet-run-id';

/**
 * Starts one run.
 * @param id the run's own, unless it is a child, whose id follows from its parent
 * @throws IdempotencyCollisionError; HatchetError
 */
export async function startOne(connection: Connection, request: TriggerWorkflowRequest, id: string = uuidv7()): Promise<string> {
  const apart = relay();
  if (apart !== undefined) return await apart.startOne(request);
  const { workflows } = connection;
  try {
    const { workflowRunId } = await callUnary(connection, workflows.triggerWorkflow.bind(workflows), request, { repeatForMs, headers: { [runIdHeader]: id } });
    return workflowRunId;
  } catch (error) {
    throw collisionOf(error) ?? toHatchetError(error, `run ${request.name}`, 'UNKNOWN_WORKFLOW');
  }
}

/** Starts runs in one call. @throws BulkTriggerIdempotencyCollisionError, with the others started; HatchetError */
export async function startBulk(connection: Connection, requests: TriggerWorkflowRequest[], ids: readonly string[] = requests.map(() => uuidv7())): Promise<string[]> {
  const apart = relay();
  if (apart !== undefined) return await apart.startBulk(requests);
  const { workflows } = connection;
  try {
    const { workflowRunIds } = await callUnary(connection, workflows.bulkTriggerWorkflow.bind(workflows), { workflows: requests }, { repeatForMs, headers: { [runIdHeader]: ids.join(',') }, timeoutMs: 60_000 });
    return workflowRunIds;
  } catch (error) {
    throw collisionOf(error) ?? toHatchetError(error, `run ${requests[0]?.name ?? 'nothing'} in bulk`, 'UNKNOWN_WORKFLOW');
  }
}

/**
 * The same with the collisions among the ids.
 * @throws BulkTriggerIdempotencyCollisionError of a Hatchet cluster, which does not say which runs collided; HatchetError
 */
export async function startEach(connection: Connection, requests: TriggerWorkflowRequest[]): Promise<(string | IdempotencyCollisionError)[]> {
  const apart = relay();
  if (apart !== undefined) return await apart.startEach(requests);
  const ids = requests.map(() => uuidv7());
  try {
    return await startBulk(connection, requests, ids);
  } catch (error) {
    if (error instanceof IdempotencyCollisionError && requests.length === 1) return [error];
    if (!(error instanceof BulkTriggerIdempotencyCollisionError)) throw error;
    const known = inOrder(error, ids);
    if (known !== undefined) return known;
    // Children: their ids follow from their parent, so that each can be asked for again.
    if (requests.some(({ parentTaskRunExternalId }) => parentTaskRunExternalId === undefined)) throw error;
    return await Promise.all(requests.map(async (request, index) => await startOne(connection, request, ids[index]).catch(collisionOnly)));
  }
}

/** Ids and collisions in the order of the call; `undefined` where the collisions do not name its ids. */
function inOrder({ collisions, successfulWorkflowRunExternalIds }: BulkTriggerIdempotencyCollisionError, ids: readonly string[]): (string | IdempotencyCollisionError)[] | undefined {
  const collided = new Map(collisions.map((collision) => [collision.collidingRunExternalId, collision]));
  const started = successfulWorkflowRunExternalIds.values();
  const each = ids.map((id) => collided.get(id) ?? started.next().value);
  const given = each.flatMap((one) => one ?? []);
  return given.length === ids.length && ids.filter((id) => collided.has(id)).length === collisions.length ? given : undefined;
}

function collisionOnly(error: unknown): IdempotencyCollisionError {
  if (error instanceof IdempotencyCollisionError) return error;
  throw error;
}
