import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import { itemDetails } from '../model/lists/item-details.ts';
import { detailRows } from '../model/layout.ts';
import type { ListItem } from '../model/lists/list-items.ts';
import { listWindow, type ListLine, type ListViewName } from '../model/lists/list-lines.ts';
import type { UiState } from '../model/ui-state.ts';
import { headingLine, itemLine } from './list-columns.ts';
import { rowsOf } from './rows-of.ts';
import { attention } from './styles.ts';

/** Lists with one cursor through all of them, and below what there is to say of the row that it is on. */
export function ListView({ state, view }: { state: UiState; view: ListViewName }) {
  const { lines, start, height, selected } = listWindow(state, view);
  return (
    <Box flexDirection="column">
      <Box flexDirection="column" height={height} overflow="hidden">
        {lines.slice(start, start + height).map((line, index) => (
          <Line
            key={line.kind === 'item' ? line.item.id : `${line.kind} ${start + index}`}
            line={line}
            state={state}
            isSelected={line.kind === 'item' && line.item === selected}
          />
        ))}
      </Box>
      {selected === undefined ? undefined : <Details item={selected} state={state} />}
    </Box>
  );
}

function Line({ line, state, isSelected }: { line: ListLine; state: UiState; isSelected: boolean }) {
  if (line.kind !== 'item') {
    return (
      <Text wrap="truncate" dimColor={line.kind === 'heading'}>
        {`  ${line.kind === 'heading' ? headingLine(line.of, state.columns) : line.kind === 'note' ? line.text : ' '}`}
      </Text>
    );
  }
  const isAway = state.connection === 'lost';
  return (
    <Text wrap="truncate" inverse={isSelected} {...(needsLook(line.item) ? attention : {})} dimColor={isAway}>
      {`${isSelected ? '▸ ' : '  '}${itemLine(line.item, state)}`}
    </Text>
  );
}

/** What somebody has to do something about; the line says it in words too. */
function needsLook(item: ListItem): boolean {
  switch (item.kind) {
    case 'workflow':
      return item.row.paused;
    case 'worker':
      return item.row.status !== 'ACTIVE';
    case 'queue':
      return item.row.workers === 0 && item.row.queued > 0;
    case 'key':
      return item.row.waiting > 0;
    case 'limit':
      return item.row.waiting + item.row.tooLarge > 0;
    case 'cron':
      return item.row.lastError !== null;
    case 'schedule':
      return false;
  }
}

function Details({ item, state }: { item: ListItem; state: UiState }) {
  const { title, lines, hints } = itemDetails(item, state.nowMs);
  return (
    <Box flexDirection="column" height={detailRows(state)} overflow="hidden">
      <Text> </Text>
      <Text bold wrap="truncate">{` ${plainText(title)}`}</Text>
      {rowsOf(lines).map(({ row, item: line }) => (
        <Text key={row} wrap="truncate">{` ${plainText(line)}`}</Text>
      ))}
      <Text dimColor wrap="truncate">{` ${hints}`}</Text>
    </Box>
  );
}
