import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import { ageText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import { tableRows } from '../model/on-key.ts';
import type { UiState } from '../model/ui-state.ts';

export function WorkflowsView({ state }: { state: UiState }) {
  const width = Math.max(16, Math.min(44, state.columns - 30));
  return (
    <Box flexDirection="column">
      <Text dimColor>{`  ${pad('WORKFLOW', width + 2)}${pad('TASKS', 6, 'right')}${pad('VERSION SINCE', 16, 'right')}`}</Text>
      {state.workflows.length === 0 ? <Text>{'\n  None yet: a worker registers them when it starts.'}</Text> : undefined}
      {state.workflows.slice(0, tableRows(state)).map((workflow) => (
        <Text key={workflow.workflowId} wrap="truncate">
          {`  ${pad(fit(plainText(workflow.name), width), width + 2)}${pad(String(workflow.taskCount), 6, 'right')}${pad(ageText(workflow.createdAt, state.nowMs), 16, 'right')}  ${plainText(workflow.description)}`}
        </Text>
      ))}
    </Box>
  );
}

const barWidth = 20;

export function WorkersView({ state }: { state: UiState }) {
  return (
    <Box flexDirection="column">
      <Text dimColor>{`  ${pad('WORKER', 26)}${pad('STATUS', 10)}${pad('SLOTS', barWidth + 14)}UP`}</Text>
      {state.workers.length === 0 ? <Text>{'\n  No worker is connected.'}</Text> : undefined}
      {state.workers.slice(0, tableRows(state)).map((worker) => {
        const slots = worker.slots.map((slot) => {
          const used = slot.total === 0 ? 0 : Math.ceil((slot.used / slot.total) * barWidth);
          return `${'█'.repeat(used)}${'░'.repeat(barWidth - used)} ${slot.used}/${slot.total}`;
        });
        return (
          <Text key={worker.workerId} wrap="truncate">
            {`  ${pad(fit(plainText(worker.name), 24), 26)}${pad(worker.status, 10)}${pad(slots.join(' '), barWidth + 14)}${ageText(worker.registeredAt, state.nowMs)}`}
          </Text>
        );
      })}
    </Box>
  );
}

export function LogView({ state }: { state: UiState }) {
  const lines = state.log.slice(-tableRows(state) - 1);
  return (
    <Box flexDirection="column">
      {lines.length === 0 ? <Text dimColor>{`  ${state.dev === undefined ? 'The log of a worker is shown by the `hatchet dev` that runs it.' : 'nothing yet'}`}</Text> : undefined}
      {lines.map((line, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Text key={index} wrap="truncate">{` ${plainText(line)}`}</Text>
      ))}
    </Box>
  );
}
