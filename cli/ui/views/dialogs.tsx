import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import type { Dialog, TextField, UiState } from '../model/ui-state.ts';

const help: readonly (readonly [keys: string, meaning: string])[] = [
  ['1 to 6, tab', 'runs, workflows, workers, queues, schedules, logs'],
  ['↑ ↓ j k, pages, g G', 'move'],
  ['enter, esc', 'open what is selected, go back'],
  ['/, f', 'search all runs (status:failed workflow:a since:1h key:value text); f: by status'],
  ['t', 'trigger a workflow'],
  ['x', 'cancel a run, delete a cron or a schedule (asks)'],
  ['R', 'run it again: replays a run that has ended (asks)'],
  ['e l i o w', "a run's events, logs, input, output, why it waits"],
  ["d", "a durable run's log: enter opens a child, b branches from a node"],
  ['s, m', 'skip a sleep; open a run that the code does not fit (hatchet dev)'],
  ['p', 'pause (asks) or resume a workflow, switch a cron off or on'],
  ['n', 'run a cron or a scheduled run now (asks)'],
  ['y', 'copy the id of what is selected'],
  ['r', 'start the worker anew (hatchet dev)'],
  ['q, Ctrl+C', 'quit'],
];

export function DialogView({ state, dialog }: { state: UiState; dialog: Dialog }) {
  switch (dialog.kind) {
    case 'help':
      return (
        <Frame title="Keys">
          {help.map(([keys, meaning]) => (
            <Text key={keys}>{`${keys.padEnd(22)}${meaning}`}</Text>
          ))}
        </Frame>
      );
    case 'search':
      return (
        <Text>
          {' search: '}
          <Field field={state.searches[state.view]} width={state.columns - 14} />
        </Text>
      );
    case 'confirm':
      return (
        <Frame title={dialog.title}>
          <Text wrap="truncate">{plainText(dialog.question)}</Text>
          <Text dimColor>{`y ${dialog.yes}, n ${dialog.no}`}</Text>
        </Frame>
      );
    case 'trigger':
      return <Trigger state={state} dialog={dialog} />;
  }
}

function Trigger({ state, dialog }: { state: UiState; dialog: Extract<Dialog, { kind: 'trigger' }> }) {
  const count = dialog.workflows.length;
  return (
    <Frame title="Trigger">
      <Text>
        {'workflow  '}
        <Text bold>{plainText(dialog.workflows[dialog.chosen] ?? '')}</Text>
        {count > 1 ? <Text dimColor>{`  ${dialog.chosen + 1} of ${count}, ↑ ↓ choose`}</Text> : undefined}
      </Text>
      <Text>
        {'input     '}
        <Field field={dialog.input} width={Math.max(20, state.columns - 18)} />
      </Text>
      {dialog.error === '' ? undefined : <Text color="red">{plainText(dialog.error)}</Text>}
      <Text dimColor>enter triggers, esc closes, Ctrl+U clears</Text>
    </Frame>
  );
}

/** One line of text around its cursor. */
function Field({ field, width }: { field: TextField; width: number }) {
  const start = Math.max(0, field.cursor - width + 1);
  const shown = `${field.text} `.slice(start, start + width);
  const at = field.cursor - start;
  return (
    <Text wrap="truncate">
      {shown.slice(0, at)}
      <Text inverse>{shown.slice(at, at + 1)}</Text>
      {shown.slice(at + 1)}
    </Text>
  );
}

function Frame({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <Box flexDirection="column" borderStyle="round" paddingX={1}>
      <Text bold>{title}</Text>
      {children}
    </Box>
  );
}
