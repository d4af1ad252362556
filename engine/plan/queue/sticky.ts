/** The worker of the run's first task, or the one that the caller asked for. */
export interface Sticky {
  readonly workerId: string;
  /** Under HARD: no other may have the task. Under SOFT it is preferred, whatever the labels weigh, as long as it has room. */
  readonly hard: boolean;
}

export function isRuledOut(sticky: Sticky | null, workerId: string): boolean {
  return sticky?.hard === true && sticky.workerId !== workerId;
}

export function isPreferred(sticky: Sticky | null, workerId: string): boolean {
  return sticky?.workerId === workerId;
}
