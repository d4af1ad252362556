import { Command, Option } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { names, pair, statuses, wholeNumber } from '../../input/parse-flags.ts';
import { timeOrAge } from '../../input/time-or-age.ts';
import type { BranchFlags, RestoreFlags } from './branch-run.ts';
import type { CancelFlags } from './cancel-runs.ts';
import type { ExportFlags } from './export-runs.ts';
import type { GetRunFlags } from './get-run.ts';
import type { ChildRunsFlags, ListRunsFlags } from './list-runs.ts';
import type { RunEventsFlags } from './run-events.ts';
import type { RunLogsFlags } from './run-logs.ts';
import type { ReplayFlags } from './replay-runs.ts';
import type { TailFlags } from './tail-runs.ts';

export function runsCommand(host: CommandHost): Command {
  const runs = new Command('runs').description('see, cancel and replay runs');
  for (const define of [list, get, tail, events, logs, children, cancel, replay, branch, restore, why, exportCommand])
    runs.addCommand(define(host));
  return runs;
}

function list(host: CommandHost): Command {
  const command = withFilter(new Command('list').alias('ls').description('runs, newest first'))
    .argument('[query...]', 'as in the terminal UI: status:failed workflow:email since:1h key:value text')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 50)
    .action((query: string[], flags: ListRunsFlags) =>
      host.run(async () => (await import('./list-runs.ts')).listRuns(host.context, query, flags)),
    );
  return examples(
    withOutput(withConnection(command), ['text', 'json', 'ndjson']),
    'hatchet runs list --status FAILED --since 1h',
    'hatchet runs list status:failed since:1h customer:ada',
  );
}

/** Which runs, but for what only a list needs. */
function withSelection(command: Command): Command {
  return command
    .option(
      '--status <status>',
      'QUEUED, RUNNING, EVICTED, COMPLETED, FAILED or CANCELLED; several with commas',
      statuses,
    )
    .option('--workflow <name>', 'only runs of this workflow; several with commas', names)
    .option('--since <time>', 'triggered after a time, or within an age such as 2h', timeOrAge)
    .option('--until <time>', 'triggered before a time or an age', timeOrAge)
    .option('--metadata <key=value>', 'with this metadata; may be repeated', pair);
}

/** Which runs. */
function withFilter(command: Command): Command {
  return withSelection(command)
    .option('--search <text>', 'part of a run id or of a workflow name')
    .option('--page <token>', 'where the page before ended');
}

function exportCommand(host: CommandHost): Command {
  const command = withFilter(
    new Command('export').description('runs with their inputs and outputs, newest first, one JSON object a line'),
  )
    .option('--limit <n>', 'runs (default: all)', wholeNumber(1, 2_147_483_647))
    .action((flags: ExportFlags) =>
      host.run(async () => (await import('./export-runs.ts')).exportRuns(host.context, flags)),
    );
  return examples(
    withOutput(withConnection(command), ['ndjson']),
    'hatchet runs export --workflow order --since 7d > runs.ndjson',
  );
}

function children(host: CommandHost): Command {
  const command = new Command('children')
    .description('the runs that a run or a task has started, newest first')
    .argument('<run>', 'id of the run or the task')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 50)
    .option('--page <token>', 'where the page before ended')
    .action((id: string, flags: ChildRunsFlags) =>
      host.run(async () => (await import('./list-runs.ts')).listChildren(host.context, id, flags)),
    );
  return examples(
    withOutput(withConnection(command), ['text', 'json', 'ndjson']),
    'hatchet runs children 0198c0de-0000-7000-8000-000000000000',
  );
}

function events(host: CommandHost): Command {
  const command = new Command('events')
    .description('the timeline of a run: every transition with its attempt, worker and message')
    .argument('<run>', 'id of the run or of a task')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 1000)
    .option('--page <token>', 'where the page before ended')
    .action((id: string, flags: RunEventsFlags) =>
      host.run(async () => (await import('./run-events.ts')).runEvents(host.context, id, flags)),
    );
  return examples(
    withOutput(withConnection(command), ['text', 'json', 'ndjson']),
    'hatchet runs events 0198c0de-0000-7000-8000-000000000000',
  );
}

function get(host: CommandHost): Command {
  const command = new Command('get')
    .description('one run: tasks, input, outputs, errors, and the logs of durable tasks')
    .argument('<run>', 'id of the run')
    .action((runId: string, flags: GetRunFlags) =>
      host.run(async () => (await import('./get-run.ts')).getRun(host.context, runId, flags)),
    );
  return examples(withOutput(withConnection(command)), 'hatchet runs get 0198c0de-0000-7000-8000-000000000000');
}

function tail(host: CommandHost): Command {
  const command = new Command('tail')
    .description('transitions as they happen; of one run, with its logs, until it ends')
    .argument('[run]', 'id of a run')
    .option('--workflow <name>', 'only runs of this workflow; several with commas', names)
    .option('--after <cursor>', 'begin after this cursor')
    .action((runId: string | undefined, flags: TailFlags) =>
      host.run(async () => (await import('./tail-runs.ts')).tailRuns(host.context, runId, flags)),
    );
  return examples(withOutput(withConnection(command), ['text', 'ndjson']), 'hatchet runs tail -o ndjson');
}

function logs(host: CommandHost): Command {
  const command = new Command('logs')
    .description('log lines of a run or a task')
    .argument('<run>', 'id of the run or the task')
    .option('--follow', 'go on until the run ends')
    .option('--level <level>', 'only DEBUG, INFO, WARN or ERROR; several with commas', names)
    .option('--search <text>', 'only lines with this text')
    .option('--limit <n>', 'the first lines', wholeNumber(1, 10_000), 1000)
    .addOption(
      new Option('--tail <n>', 'the last lines instead of the first; with --follow, and what comes then')
        .argParser(wholeNumber(1, 10_000))
        .conflicts('limit'),
    )
    .action((runId: string, flags: RunLogsFlags) =>
      host.run(async () => (await import('./run-logs.ts')).runLogs(host.context, runId, flags)),
    );
  return examples(
    withOutput(withConnection(command), ['text', 'json', 'ndjson']),
    'hatchet runs logs 0198c0de-0000-7000-8000-000000000000 --follow --tail 20',
  );
}

function cancel(host: CommandHost): Command {
  const command = withSelection(new Command('cancel'))
    .description('cancel runs, given by ids or by what they are; those that have ended stay as they are')
    .argument('[run...]', 'ids of runs')
    .option('--yes', 'do not ask before a selection is cancelled')
    .action((runIds: string[], flags: CancelFlags) =>
      host.run(async () => (await import('./cancel-runs.ts')).cancelRuns(host.context, runIds, flags)),
    );
  return examples(
    withOutput(withConnection(command)),
    'hatchet runs cancel 0198c0de-0000-7000-8000-000000000000',
    'hatchet runs cancel --workflow import --since 1h',
  );
}

function replay(host: CommandHost): Command {
  const command = withSelection(new Command('replay'))
    .description('run ended runs, or tasks with what follows them, again; given by ids or by what they are')
    .argument('[id...]', 'ids of runs or of tasks')
    .option('--failed-only', 'of each run only tasks that failed, and what follows them')
    .option('--task <name>', 'of each run only this task, and what follows it')
    .option('--yes', 'do not ask before a selection runs again')
    .action((ids: string[], flags: ReplayFlags) =>
      host.run(async () => (await import('./replay-runs.ts')).replayRuns(host.context, ids, flags)),
    );
  return examples(
    withOutput(withConnection(command)),
    'hatchet runs replay 0198c0de-0000-7000-8000-000000000000',
    'hatchet runs replay --status FAILED --since 1d --failed-only',
  );
}

function branch(host: CommandHost): Command {
  const command = new Command('branch')
    .description('start a durable task again from a node of its log; what lies before the node is kept')
    .argument('<run>', 'id of the run, or of the task where the run has several durable ones')
    .requiredOption(
      '--node <n>',
      'the node that is asked anew, as `hatchet runs get` numbers them',
      wholeNumber(1, 2_147_483_647),
    )
    .option(
      '--branch <n>',
      'the branch on which the node is (default: the one that the task is on)',
      wholeNumber(1, 2_147_483_647),
    )
    .action((id: string, flags: BranchFlags) =>
      host.run(async () => (await import('./branch-run.ts')).branchRun(host.context, id, flags)),
    );
  return examples(
    withOutput(withConnection(command)),
    'hatchet runs branch 0198c0de-0000-7000-8000-000000000000 --node 3',
  );
}

function restore(host: CommandHost): Command {
  const command = new Command('restore')
    .description('wake an evicted durable task, whatever it waits for: it goes to a worker and replays its log')
    .argument('<run>', 'id of the run, or of the task where the run has several durable ones')
    .action((id: string, flags: RestoreFlags) =>
      host.run(async () => (await import('./branch-run.ts')).restoreRun(host.context, id, flags)),
    );
  return examples(withOutput(withConnection(command)), 'hatchet runs restore 0198c0de-0000-7000-8000-000000000000');
}

function why(host: CommandHost): Command {
  const command = new Command('why')
    .description('what a run waits for, and what would end that')
    .argument('<run>', 'id of the run')
    .action((runId: string, flags: GetRunFlags) =>
      host.run(async () => (await import('./why-run.ts')).whyRun(host.context, runId, flags)),
    );
  return examples(withOutput(withConnection(command)), 'hatchet runs why 0198c0de-0000-7000-8000-000000000000');
}
