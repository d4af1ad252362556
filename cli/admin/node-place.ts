/** A node of a durable task's log; without a branch, on the one that the task is on. */
export interface NodePlace {
  taskId: string;
  branch?: number | undefined;
  node: number;
}
