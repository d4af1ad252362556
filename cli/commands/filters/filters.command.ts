import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { withOffset } from '../../input/offset-page.ts';
import { names } from '../../input/parse-flags.ts';
import type { CreateFilterFlags, FilterFlags, ListFiltersFlags, UpdateFilterFlags } from './filters.ts';

const id = '0198c0de-0000-7000-8000-000000000000';
const scopeHelp = 'of the events that it is for';
const expressionHelp = 'CEL over input, payload, additional_metadata, event_key and event_id';
const payloadHelp = 'JSON object that the run finds as its filter payload';

export function filtersCommand(host: CommandHost): Command {
  const list = withOffset(new Command('list'))
    .alias('ls')
    .description('which events start which workflow')
    .option('--workflow <name>', 'only of this workflow')
    .option('--scope <scope>', 'only of this scope; several with commas', names)
    .action((flags: ListFiltersFlags) =>
      host.run(async () => (await import('./filters.ts')).listFilters(host.context, flags)),
    );
  const get = new Command('get')
    .description('one filter')
    .argument('<filter>', 'id of the filter')
    .action((filter: string, flags: FilterFlags) =>
      host.run(async () => (await import('./filters.ts')).getFilter(host.context, filter, flags)),
    );
  const create = new Command('create')
    .description(
      'let events of a scope start a workflow where an expression is true; without filters, all of its events do',
    )
    .argument('<workflow>', 'name of the workflow')
    .requiredOption('--scope <scope>', scopeHelp)
    .requiredOption('--expression <cel>', expressionHelp)
    .option('--payload <json>', `${payloadHelp} (default: {})`)
    .action((workflow: string, flags: CreateFilterFlags) =>
      host.run(async () => (await import('./filters.ts')).createFilter(host.context, workflow, flags)),
    );
  const update = new Command('update')
    .description('change what is given of it')
    .argument('<filter>', 'id of the filter')
    .option('--scope <scope>', scopeHelp)
    .option('--expression <cel>', expressionHelp)
    .option('--payload <json>', payloadHelp)
    .action((filter: string, flags: UpdateFilterFlags) =>
      host.run(async () => (await import('./filters.ts')).updateFilter(host.context, filter, flags)),
    );
  const remove = new Command('delete')
    .description('remove it; one that its workflow declares comes back with the next registration')
    .argument('<filter>', 'id of the filter')
    .action((filter: string, flags: FilterFlags) =>
      host.run(async () => (await import('./filters.ts')).deleteFilter(host.context, filter, flags)),
    );
  examples(withOutput(withConnection(list), ['text', 'json', 'ndjson']), 'hatchet filters list --workflow welcome');
  examples(withOutput(withConnection(get)), `hatchet filters get ${id}`);
  examples(
    withOutput(withConnection(create)),
    `hatchet filters create welcome --scope eu --expression 'input.plan == "pro"'`,
  );
  examples(withOutput(withConnection(update)), `hatchet filters update ${id} --expression 'input.plan != "free"'`);
  examples(withOutput(withConnection(remove)), `hatchet filters delete ${id}`);
  return new Command('filters')
    .description('see and change which events start a workflow')
    .addCommand(list)
    .addCommand(get)
    .addCommand(create)
    .addCommand(update)
    .addCommand(remove);
}
