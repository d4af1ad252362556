import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import { logRows, logStart, visibleLog } from '../model/lists/log-keys.ts';
import type { UiState } from '../model/ui-state.ts';

export function LogsView({ state }: { state: UiState }) {
  const all = visibleLog(state);
  const start = logStart(state, all.length);
  const lines = all.slice(start, start + logRows(state));
  const position = all.length > lines.length ? `  ${start + 1}–${start + lines.length} of ${all.length}` : '';
  return (
    <Box flexDirection="column">
      <Text
        dimColor
        wrap="truncate"
      >{`  f: ${state.logSource === 'all' ? 'engine, worker and session' : `${state.logSource} alone`}${position}`}</Text>
      {lines.length === 0 ? <Text>{`\n  ${emptyText(state)}`}</Text> : undefined}
      {lines.map((line, index) => (
        <Text key={start + index} wrap="truncate">{` ${plainText(line.text)}`}</Text>
      ))}
    </Box>
  );
}

function emptyText(state: UiState): string {
  if (state.log.length > 0) return 'No line fits. esc shows all again.';
  if (state.dev === undefined) return 'Nothing yet. The log of a worker is shown by the `hatchet dev` that runs it.';
  return 'Nothing yet.';
}
