import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import type { Dialog, TextField, UiState } from '../model/ui-state.ts';

const help: readonly (readonly [keys: string, meaning: string])[] = [
  ['1 2 3 4, tab', 'runs, workflows, workers, log'],
  ['↑ ↓ j k, pages, g G', 'move'],
  ['enter, esc', 'open a run, go back'],
  ['t', 'trigger a workflow'],
  ['x', 'cancel the run (asks first)'],
  ['/', 'search runs by workflow or id'],
  ['f', 'filter runs by status'],
  ['e l i o w', "a run's events, logs, input, output, why it waits"],
  ['y', "copy the run's id"],
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
          <Field field={state.search} width={state.columns - 14} />
        </Text>
      );
    case 'cancel':
      return (
        <Frame title="Cancel">
          <Text>{`Cancel ${plainText(dialog.workflow)} ${dialog.runId}?`}</Text>
          <Text dimColor>y cancels it, n keeps it</Text>
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
