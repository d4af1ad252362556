import { createHash } from 'node:crypto';
import { firstBranch } from '../../model/durable/durable.ts';
import type { Owner } from '../owner.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What a parent's call may say of the child. */
interface ChildCall {
  childKey?: string | undefined;
  childIndex?: number | undefined;
}

/** What tells a child from its siblings; undefined for one that is made anew each time. */
export function childName({ childKey, childIndex }: ChildCall): string | undefined {
  if (childKey === undefined && childIndex === undefined) return undefined;
  return childKey === undefined ? `index ${childIndex}` : `key ${childKey}`;
}

interface Parent {
  taskId: string;
  /** Of a durable task's log. */
  branch: number;
  attempt: number;
  durable: boolean;
}

/** A child is spawned by a task that runs. Under any other parent it is a run like all others, and is made anew each time. */
export function liveParent(owner: Pick<Owner, 'stateOf'>, tenantId: TenantId, taskId: string): Parent | undefined {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(taskId);
  if (state === undefined || row === undefined) return undefined;
  const { version, definition } = state.stepOf(row);
  if (version.tenantId !== tenantId) return undefined;
  return {
    taskId,
    branch: state.durable.branchOf(row),
    attempt: state.tasks.attempt[row] ?? 0,
    durable: definition.durable,
  };
}

/** A parent that has been tried more often finds the children of its last attempts. */
const mostAttempts = 1000;

/**
 * A child's id follows from its parent, its key or index, its workflow and its input, so that a retried parent that asks for
 * the same gets the same child. It carries its parent's date, and with it the day whose partitions its rows go to.
 * @returns the id that this attempt of its parent gives it, then those of the attempts before, newest first; none for one that
 * is made anew each time
 */
export function childIds(parent: Parent, request: ChildCall & { workflowName: string; input: string }): string[] {
  const name = childName(request);
  if (name === undefined) return [];
  const { taskId, branch, attempt, durable } = parent;
  const input = createHash('sha256').update(request.input).digest('hex');
  const idOf = (given: number): string => {
    // What a durable task spawns on a new branch are new children.
    const hash = createHash('sha256')
      .update(JSON.stringify([taskId, branch === firstBranch ? 0 : branch, given, name, request.workflowName, input]))
      .digest('hex');
    return `${taskId.slice(0, 14)}7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
  };
  // A durable task's log holds its children over all attempts.
  if (durable) return [idOf(0)];
  return Array.from({ length: Math.min(attempt + 1, mostAttempts) }, (_, back) => idOf(attempt - back));
}
