import { Box, Text } from 'ink';
import stringWidth from 'string-width';
import { fit } from '../../output/table.ts';
import { dialogContent, frameWidth } from '../model/dialogs/dialog-content.ts';
import { cutLine, widthOf, type SpanLine } from '../model/dialogs/spans.ts';
import type { Dialog, UiState } from '../model/ui-state.ts';
import { rowsOf } from './rows-of.ts';
import { wrong } from './styles.ts';

/** Every cell of it is written: nothing of what lies behind is left in its frame, or beside it. */
export function DialogView({ state, dialog }: { state: UiState; dialog: Dialog }) {
  const { title, lines } = dialogContent(state, dialog);
  const inner = state.columns - frameWidth;
  if (title === undefined) {
    return (
      <Box flexDirection="column">
        {rowsOf(lines).map(({ row, item: line }) => (
          <Line key={row} line={cutLine(line, state.columns)} width={state.columns} />
        ))}
      </Box>
    );
  }
  const name = ` ${fit(title, inner - 2)} `;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {'╭─'}
        <Text bold>{name}</Text>
        {`${'─'.repeat(Math.max(0, inner + 1 - stringWidth(name)))}╮`}
      </Text>
      {rowsOf(lines).map(({ row, item: line }) => (
        <Line key={row} line={[{ text: '│ ' }, ...cutLine(line, inner)]} width={inner + 2} end=" │" />
      ))}
      <Text wrap="truncate">{`╰${'─'.repeat(inner + 2)}╯`}</Text>
    </Box>
  );
}

const styles = { bold: { bold: true }, dim: { dimColor: true }, inverse: { inverse: true }, wrong } as const;

/** Spans, and spaces up to the width. */
function Line({ line, width, end = '' }: { line: SpanLine; width: number; end?: string }) {
  return (
    <Text wrap="truncate">
      {rowsOf(line).map(({ row, item: { text, style } }) => (
        <Text key={row} {...(style === undefined ? {} : styles[style])}>
          {text}
        </Text>
      ))}
      {`${' '.repeat(Math.max(0, width - widthOf(line)))}${end}`}
    </Text>
  );
}
