import type { Job } from './job.ts';

/**
 * The one rule of order among commands: those that name the same task are carried out in the order in which they came, since
 * a durable task's operations are numbered in it. All others may overtake each other. Here are tasks of which a command was
 * passed over, or is away: their later commands stay behind it.
 */
export class CommandOrder {
  readonly #tasks = new Set<string>();

  /** The command is not carried out now. */
  hold({ command }: Job): void {
    if ('taskId' in command) this.#tasks.add(command.taskId);
  }

  /** The command is in line again: its task's next ones may stand behind it. */
  release({ command }: Job): void {
    if ('taskId' in command) this.#tasks.delete(command.taskId);
  }

  /** Whether the command must not go before one that is held. */
  isBehind({ command }: Job): boolean {
    return this.#tasks.size > 0 && 'taskId' in command && this.#tasks.has(command.taskId);
  }
}
