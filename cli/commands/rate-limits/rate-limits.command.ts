import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { withOffset } from '../../input/offset-page.ts';
import { choice, wholeNumber } from '../../input/parse-flags.ts';
import { rateLimitWindows } from './rate-limit-windows.ts';
import type { ListRateLimitsFlags, PutRateLimitFlags, RateLimitFlags } from './rate-limits.ts';

export function rateLimitsCommand(host: CommandHost): Command {
  const list = withOffset(new Command('list'))
    .alias('ls')
    .description('rate limits with what is left of each')
    .option('--search <text>', 'part of the key')
    .action((flags: ListRateLimitsFlags) =>
      host.run(async () => (await import('./rate-limits.ts')).listRateLimits(host.context, flags)),
    );
  const put = new Command('put')
    .description('set the units of a key: a lower limit holds at once, a higher one from the next refill')
    .argument('<key>', 'the staticKey that tasks name')
    .requiredOption('--limit <n>', 'units of one window', wholeNumber(0, 2_147_483_647))
    .option('--per <window>', rateLimitWindows.join(', '), choice(rateLimitWindows), 'minute')
    .action((key: string, flags: PutRateLimitFlags) =>
      host.run(async () => (await import('./rate-limits.ts')).putRateLimit(host.context, key, flags)),
    );
  const remove = new Command('delete')
    .description('remove it; tasks that name it wait until it is put again')
    .argument('<key>', 'its key')
    .action((key: string, flags: RateLimitFlags) =>
      host.run(async () => (await import('./rate-limits.ts')).deleteRateLimit(host.context, key, flags)),
    );
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet rate-limits list');
  examples(withOutput(withConnection(put)), 'hatchet rate-limits put mail-api --limit 100 --per minute');
  examples(withOutput(withConnection(remove)), 'hatchet rate-limits delete mail-api');
  return new Command('rate-limits')
    .description('see and change rate limits')
    .addCommand(list)
    .addCommand(put)
    .addCommand(remove);
}
