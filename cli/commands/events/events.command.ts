import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { withOffset } from '../../input/offset-page.ts';
import { names, pair } from '../../input/parse-flags.ts';
import { timeOrAge } from '../../input/time-or-age.ts';
import type { EventFlags, ListEventsFlags } from './events.ts';

export function eventsCommand(host: CommandHost): Command {
  const list = withOffset(new Command('list'), 50)
    .alias('ls')
    .description('pushed events with the runs that they started, newest first')
    .option('--key <key>', 'only of this key; several with commas', names)
    .option('--scope <scope>', 'only of this scope; several with commas', names)
    .option('--since <time>', 'pushed after a time, or within an age such as 2h', timeOrAge)
    .option('--until <time>', 'pushed before a time or an age', timeOrAge)
    .option('--metadata <key=value>', 'with this metadata; may be repeated', pair)
    .action((flags: ListEventsFlags) =>
      host.run(async () => (await import('./events.ts')).listEvents(host.context, flags)),
    );
  const get = new Command('get')
    .description('one event: payload, metadata, and the runs that it started')
    .argument('<event>', 'id of the event')
    .action((id: string, flags: EventFlags) =>
      host.run(async () => (await import('./events.ts')).getEvent(host.context, id, flags)),
    );
  examples(
    withOutput(withConnection(list), ['text', 'json', 'ndjson']),
    'hatchet events list --key user:created --since 1h',
  );
  examples(withOutput(withConnection(get)), 'hatchet events get 0198c0de-0000-7000-8000-000000000000');
  return new Command('events')
    .description('see pushed events; `hatchet trigger event` pushes one')
    .addCommand(list)
    .addCommand(get);
}
