import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import type { EngineRecord } from '../../engine-process/engine-record.ts';
import { ageText } from '../../output/time-text.ts';

export type SecondSession = 'attach' | 'stop' | 'quit';

/**
 * What a person wants when the project's engine runs already, by another `hatchet dev` or alone.
 * @throws CliError without a terminal to ask on
 */
export async function askAboutSecond(
  context: CliContext,
  { dataDir, running }: { dataDir: string; running: EngineRecord },
): Promise<SecondSession> {
  const found = `this project's engine runs already: pid ${running.pid}, gRPC ${running.grpc}, up ${ageText(running.startedAt)}`;
  if (!isInteractive(context)) {
    throw new CliError(found, {
      remedy:
        'Attach with `hatchet tui` or `hatchet runs tail`, run a worker for it with `hatchet worker start`, stop it with `hatchet engine stop`, or use another --data-dir.',
    });
  }
  const prompts = await import('@clack/prompts');
  prompts.log.warn(`${found}\n${dataDir}`);
  const answer = await prompts.select<SecondSession>({
    message: 'What now?',
    options: [
      { value: 'attach', label: 'Attach', hint: 'the terminal UI on the engine that runs' },
      { value: 'stop', label: 'Stop it', hint: 'and start this one' },
      { value: 'quit', label: 'Quit' },
    ],
  });
  return prompts.isCancel(answer) ? 'quit' : answer;
}
