import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { pair, wholeNumber } from '../../input/parse-flags.ts';
import { timeOrDelay } from '../../input/time-or-delay.ts';
import type { CreateScheduleFlags, ListSchedulesFlags, ScheduleFlags } from './schedules.ts';

export function schedulesCommand(host: CommandHost): Command {
  const list = new Command('list')
    .alias('ls')
    .description('scheduled runs, newest first')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 100)
    .action((flags: ListSchedulesFlags) =>
      host.run(async () => (await import('./schedules.ts')).listSchedules(host.context, flags)),
    );
  const create = new Command('create')
    .description('run a workflow at a time')
    .argument('<workflow>', 'name of the workflow')
    .requiredOption('--at <time>', 'when: a time, or a delay such as 90s', timeOrDelay)
    .option('--input <json>', 'input as JSON (default: {})')
    .option('--metadata <key=value>', 'metadata of the run; may be repeated', pair)
    .option('--priority <1-3>', 'priority; 3 goes first', wholeNumber(1, 3))
    .action((workflow: string, flags: CreateScheduleFlags) =>
      host.run(async () => (await import('./schedules.ts')).createSchedule(host.context, workflow, flags)),
    );
  const remove = new Command('delete')
    .description('take back a run that has not come yet')
    .argument('<schedule>', 'id of the scheduled run')
    .action((id: string, flags: ScheduleFlags) =>
      host.run(async () => (await import('./schedules.ts')).deleteSchedule(host.context, id, flags)),
    );
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet schedules list');
  examples(withOutput(withConnection(create)), `hatchet schedules create report --at 2h --input '{"day":"today"}'`);
  examples(withOutput(withConnection(remove)), 'hatchet schedules delete 0198c0de-0000-7000-8000-000000000000');
  return new Command('schedules')
    .description('see and change scheduled runs')
    .addCommand(list)
    .addCommand(create)
    .addCommand(remove);
}
