import { Box, Text } from 'ink';
import { plainText } from '../../output/plain-text.ts';
import { itemDetails } from '../model/lists/item-details.ts';
import { detailRows, listRows } from '../model/layout.ts';
import { windowStart } from '../model/frame.ts';
import { listItems, selectedIndex, type ItemKind, type ListItem } from '../model/lists/list-items.ts';
import type { UiState, ViewName } from '../model/ui-state.ts';
import { headingLine, itemLine } from './list-line.ts';
import { rowsOf } from './rows-of.ts';
import { attention } from './styles.ts';

interface Section {
  kind: ItemKind;
  /** Said where there is none. */
  empty: string;
  /** All there are; the list may hold fewer. */
  total: number;
}

type ListViewName = Exclude<ViewName, 'runs' | 'logs'>;

function sectionsOf(view: ListViewName, state: UiState): readonly Section[] {
  const { queues, schedules, workflows, workers } = state;
  switch (view) {
    case 'workflows':
      return [{ kind: 'workflow', empty: 'None yet: a worker registers them when it starts.', total: workflows.length }];
    case 'workers':
      return [{ kind: 'worker', empty: 'No worker is connected.', total: workers.length }];
    case 'queues':
      return [
        { kind: 'queue', empty: 'No queue yet: a worker registers them with its tasks.', total: queues?.total.queues ?? 0 },
        { kind: 'key', empty: 'No concurrency key is in use.', total: queues?.total.keys ?? 0 },
        { kind: 'limit', empty: 'No rate limit.', total: queues?.total.limits ?? 0 },
      ];
    case 'schedules':
      return [
        { kind: 'cron', empty: 'No cron. Declare one with `on: { cron: … }`, or make one: hatchet crons create --help', total: schedules?.total.crons ?? 0 },
        { kind: 'schedule', empty: 'No scheduled run is to come. Make one: hatchet schedules create --help', total: schedules?.total.schedules ?? 0 },
      ];
  }
}

type Line = { kind: 'heading' | 'note' | 'space'; text: string } | { kind: 'item'; item: ListItem };

function linesOf(view: ListViewName, state: UiState, items: readonly ListItem[]): readonly Line[] {
  return sectionsOf(view, state).flatMap((section, index): Line[] => {
    const own = items.filter((item) => item.kind === section.kind);
    const missing = state.searches[view].text === '' ? section.total - own.length : 0;
    return [
      ...(index === 0 ? [] : [{ kind: 'space' as const, text: ' ' }]),
      { kind: 'heading', text: headingLine(section.kind, state.columns) },
      ...own.map((item): Line => ({ kind: 'item', item })),
      ...(own.length === 0 ? [{ kind: 'note' as const, text: section.total === 0 ? section.empty : 'None fits the search. esc shows all again.' }] : []),
      ...(own.length > 0 && missing > 0 ? [{ kind: 'note' as const, text: `and ${missing} more` }] : []),
    ];
  });
}

/** Lists with one cursor through all of them, and below what there is to say of the row that it is on. */
export function ListView({ state, view }: { state: UiState; view: ListViewName }) {
  const items = listItems(state);
  const selected = items[selectedIndex(state, items)];
  const lines = linesOf(view, state, items);
  const height = listRows(state);
  const at = lines.findIndex((line) => line.kind === 'item' && line.item === selected);
  const start = windowStart(Math.max(0, at), lines.length, height);
  return (
    <Box flexDirection="column">
      <Box flexDirection="column" height={height} overflow="hidden">
        {lines.slice(start, start + height).map((line, index) => (
          <ListLine key={line.kind === 'item' ? line.item.id : `${line.kind} ${start + index}`} line={line} state={state} isSelected={line.kind === 'item' && line.item === selected} />
        ))}
      </Box>
      {selected === undefined ? undefined : <Details item={selected} state={state} />}
    </Box>
  );
}

function ListLine({ line, state, isSelected }: { line: Line; state: UiState; isSelected: boolean }) {
  if (line.kind !== 'item') {
    return (
      <Text wrap="truncate" dimColor={line.kind === 'heading'}>
        {`  ${line.text}`}
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
