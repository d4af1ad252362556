/** What a worker is told of a run. */
export interface RunPayload {
  /** JSON. */
  input: string;
  /** JSON object. */
  metadata: string;
  /** JSON object, for a run that an event started through a filter. */
  filterPayload: string | null;
  /** Of a run that a task has spawned. */
  parentTaskId: string | null;
  childIndex: number | null;
  childKey: string | null;
}
