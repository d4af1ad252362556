import { status } from '@grpc/grpc-js';
import { uuidv7 } from 'uuidv7';
import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { isServiceError, statusOf, toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { linkOrCall } from '../connection/link-or-call.ts';
import { callUnary, repeatForMs, type CallSettings } from '../connection/repeat-calls.ts';
import { BulkTriggerIdempotencyCollisionError, type HatchetError, IdempotencyCollisionError } from '../errors.ts';
import { relay } from '../isolation/in-runner/relay.ts';
import { longestCall } from './bulks.ts';
import { collisionOf } from './collision.ts';
import { requireKnown, unknownWorkflow } from './known-workflows.ts';
import { chunks } from './trigger-request.ts';

/** Where a run's own id travels: with it a repeated trigger starts nothing new, where the engine offers `runIds`. */
const runIdHeader = 'hatchet-run-id';

/** Children are known by their parent and their key or index on every engine. Others are repeated without an identity only where the client says so. */
function repetition(
  { config }: Connection,
  requests: readonly TriggerWorkflowRequest[],
): Pick<CallSettings, 'repeatForMs' | 'repeatWith'> {
  const known =
    config.repeatLostTriggers || requests.every(({ parentTaskRunExternalId }) => parentTaskRunExternalId !== undefined);
  return known ? { repeatForMs } : { repeatForMs, repeatWith: 'runIds' };
}

/**
 * Starts one run.
 * @param options.id the run's own, unless it is a child, whose id follows from its parent
 * @param options.isAwaited its end is waited for by the link
 * @throws IdempotencyCollisionError; HatchetError
 */
export async function startOne(
  connection: Connection,
  request: TriggerWorkflowRequest,
  { id = uuidv7(), isAwaited = false }: { id?: string | undefined; isAwaited?: boolean } = {},
): Promise<string> {
  const apart = relay();
  if (apart !== undefined) return await apart.startOne(request);
  const { workflows } = connection;
  try {
    return await linkOrCall(
      connection,
      (link) => link.trigger(request, { runId: id, isAwaited, patienceMs: repeatForMs }),
      async () => {
        const known = requireKnown(connection, [request]);
        const { workflowRunId } = await callUnary(connection, workflows.triggerWorkflow.bind(workflows), request, {
          ...repetition(connection, [request]),
          headers: { [runIdHeader]: id },
        });
        await known;
        return workflowRunId;
      },
    );
  } catch (error) {
    throw (
      collisionOf(error) ?? unknownWorkflowOf(error) ?? toHatchetError(error, `run ${request.name}`, 'UNKNOWN_WORKFLOW')
    );
  }
}

/** Starts runs in one call. @throws BulkTriggerIdempotencyCollisionError, with the others started; HatchetError */
export async function startBulk(
  connection: Connection,
  requests: TriggerWorkflowRequest[],
  ids: readonly string[] = requests.map(() => uuidv7()),
): Promise<string[]> {
  const apart = relay();
  if (apart !== undefined) return await apart.startBulk(requests);
  const { workflows } = connection;
  try {
    const triggers = requests.map((request, index) => ({ request, runId: ids[index] ?? uuidv7() }));
    return await linkOrCall(
      connection,
      async (link) => allOf(await link.triggerMany(triggers, repeatForMs)),
      async () => {
        const known = requireKnown(connection, requests);
        const made: string[] = [];
        // Where the engine has no sessions any more, what was to go by the link is more than a call may have.
        for (const group of chunks(triggers, longestCall, Infinity, () => 0)) {
          const some = group.map(({ request }) => request);
          const headers = { [runIdHeader]: group.map(({ runId }) => runId).join(',') };
          const { workflowRunIds } = await callUnary(
            connection,
            workflows.bulkTriggerWorkflow.bind(workflows),
            { workflows: some },
            { ...repetition(connection, some), headers, timeoutMs: 60_000 },
          );
          made.push(...workflowRunIds);
        }
        await known;
        return made;
      },
    );
  } catch (error) {
    throw (
      collisionOf(error) ??
      unknownWorkflowOf(error) ??
      toHatchetError(error, `run ${requests[0]?.name ?? 'nothing'} in bulk`, 'UNKNOWN_WORKFLOW')
    );
  }
}

/**
 * The same with the collisions among the ids.
 * @throws BulkTriggerIdempotencyCollisionError of a Hatchet cluster, which does not say which runs collided; HatchetError
 */
export async function startEach(
  connection: Connection,
  requests: TriggerWorkflowRequest[],
): Promise<(string | IdempotencyCollisionError)[]> {
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
    return await Promise.all(
      requests.map(
        async (request, index) => await startOne(connection, request, { id: ids[index] }).catch(collisionOnly),
      ),
    );
  }
}

/** All ids. @throws BulkTriggerIdempotencyCollisionError; what another was refused for */
function allOf(started: readonly (string | { error: unknown })[]): string[] {
  const ids: string[] = [];
  const collisions: IdempotencyCollisionError[] = [];
  for (const each of started) {
    if (typeof each === 'string') {
      ids.push(each);
      continue;
    }
    const collision = collisionOf(each.error);
    if (!(collision instanceof IdempotencyCollisionError)) throw each.error;
    collisions.push(collision);
  }
  if (collisions.length > 0) throw new BulkTriggerIdempotencyCollisionError(ids, collisions);
  return ids;
}

/** Ids and collisions in the order of the call; `undefined` where the collisions do not name its ids. */
function inOrder(
  { collisions, successfulWorkflowRunExternalIds }: BulkTriggerIdempotencyCollisionError,
  ids: readonly string[],
): (string | IdempotencyCollisionError)[] | undefined {
  const collided = new Map(collisions.map((collision) => [collision.collidingRunExternalId, collision]));
  const started = successfulWorkflowRunExternalIds.values();
  const each = ids.map((id) => collided.get(id) ?? started.next().value);
  const given = each.flatMap((one) => one ?? []);
  return given.length === ids.length && ids.filter((id) => collided.has(id)).length === collisions.length
    ? given
    : undefined;
}

/** A cluster refuses what it knows nothing of as a bad argument, in these words, or not at all. */
function unknownWorkflowOf(error: unknown): HatchetError | undefined {
  const names =
    statusOf(error) === status.INVALID_ARGUMENT && isServiceError(error)
      ? /workflow names not found: (.*)$/.exec(error.details)?.[1]
      : undefined;
  return names === undefined ? undefined : unknownWorkflow(names, error);
}

function collisionOnly(error: unknown): IdempotencyCollisionError {
  if (error instanceof IdempotencyCollisionError) return error;
  throw error;
}
