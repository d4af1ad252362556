import type { CommandByKind } from '../../engine/plan/commands/command.ts';

/** What a worker says of an attempt. */
export type AttemptReport = (CommandByKind['started'] | CommandByKind['completed'] | CommandByKind['failed']) & {
  kind: 'started' | 'completed' | 'failed';
};
