/** What the process ends with. Scripts rely on these numbers: they never change. */
export const ExitCode = {
  done: 0,
  /** A run that FAILED or was CANCELLED, a newer schema, anything without a number of its own. */
  failed: 1,
  /** Flags, invalid JSON, input against its schema, a given port that is taken. */
  wrongUse: 2,
  /** The engine was not reached, or refused access. */
  noEngine: 3,
  /** An unknown workflow or run. */
  unknown: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
