/** Where a line stands among others: by the task that is next in it. */
export interface Standing {
  rank: number;
  turn: number;
  seq: number;
}

/** Which line goes first, by the tasks that are next in them: best rank, then whose key has waited longest for its turn, then the oldest. */
export function isAhead(a: Standing, b: Standing): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.turn === b.turn ? a.seq < b.seq : a.turn < b.turn;
}

/** What is compared where tasks ask a rate limit: best rank first, inside a rank the oldest. */
export interface Asking {
  readonly rank: number;
  readonly seq: number;
}

export function asksBefore(a: Asking, b: Asking): boolean {
  return a.rank === b.rank ? a.seq < b.seq : a.rank < b.rank;
}
