import { HatchetError } from '../errors.ts';

/** What every resource of the REST API begins with. */
export interface ResourceMetadata {
  id: string;
  createdAt: string;
  updatedAt: string;
}

/** A resource, or its id. */
export type ResourceRef = string | { metadata: { id: string } };

export function idOf(ref: ResourceRef): string {
  return typeof ref === 'string' ? ref : ref.metadata.id;
}

/** A workflow, by its name or its declaration. */
export type WorkflowRef = string | { name: string };

/** A timer for a workflow that nobody knows is refused as such, also by a cluster, which says it as a bad request. @throws HatchetError UNKNOWN_WORKFLOW */
export async function ofKnownWorkflow<Answer>(workflow: WorkflowRef, made: Promise<Answer>): Promise<Answer> {
  try {
    return await made;
  } catch (error) {
    if (
      !(error instanceof HatchetError) ||
      error.code !== 'INVALID_ARGUMENT' ||
      !error.message.startsWith('workflow not found')
    )
      throw error;
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${JSON.stringify(nameOf(workflow))}`, {
      cause: error,
      remedy: 'Start a worker that registers it, or check the name',
    });
  }
}

export function nameOf(ref: WorkflowRef): string {
  return typeof ref === 'string' ? ref : ref.name;
}
