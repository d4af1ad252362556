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

export function nameOf(ref: WorkflowRef): string {
  return typeof ref === 'string' ? ref : ref.name;
}
