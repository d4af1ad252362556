import type { Newcomer } from './newcomer.ts';
import { projectCommands } from './readme-commands.ts';
import { walks } from './walks.ts';

/**
 * What the README says, from `hatchet init` to Ctrl+C, with the template's own walk through the terminal UI.
 * @param install in place of `npm install`
 */
export async function firstHour(newcomer: Newcomer, template: string, install?: () => void): Promise<void> {
  const commands = projectCommands(template);
  for (const command of commands.slice(0, -1)) {
    if (command === 'npm install' && install !== undefined) install();
    else await newcomer.enter(command);
  }
  await newcomer.begin(commands.at(-1) ?? '');
  // With Python, what it needs is installed first.
  await newcomer.seesWithin(200_000, /worker serving/);
  await walks[template]?.(newcomer);
  await newcomer.interrupt();
}
