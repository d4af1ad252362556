import pc from 'picocolors';
import type { CliContext } from '../cli-context.ts';
import type { Output, OutputFormat, Page } from './output.ts';
import { renderTable, type ListRow, type Table } from './table.ts';

type Streams = Pick<CliContext, 'stdout' | 'stderr' | 'env'>;

/** The Output of a command, in the form that its `-o` chose. */
export function createOutput(format: OutputFormat, streams: Streams): Output {
  const { createColors } = pc;
  const colors = createColors(streams.stderr.isTTY && streams.env['NO_COLOR'] === undefined);
  const print = (text: string): void => void streams.stdout.write(`${text}\n`);
  const say = (text: string): void => void streams.stderr.write(`${text}\n`);
  const messages = { note: say, warn: (text: string) => say(`${colors.yellow('warning')} ${text}`) };
  if (format === 'text') return textOutput(print, messages);
  return jsonOutput(format, print, messages);
}

type Print = (text: string) => void;
type Messages = Pick<Output, 'note' | 'warn'>;

function textOutput(print: Print, messages: Messages): Output {
  return {
    format: 'text',
    value: (_value, text) => print(text()),
    list<Row extends ListRow>(page: Page<Row>, table: Table<Row>) {
      print(renderTable(page.rows, table));
      if (page.next !== null) messages.note(`There is more: --page ${page.next}`);
    },
    item: (_value, text) => print(text()),
    ...messages,
  };
}

function jsonOutput(format: 'json' | 'ndjson', print: Print, messages: Messages): Output {
  return {
    format,
    value: (value) => print(JSON.stringify(value)),
    list<Row extends ListRow>(page: Page<Row>) {
      if (format === 'json') print(JSON.stringify(page));
      else for (const row of page.rows) print(JSON.stringify(row));
    },
    item: (value) => print(JSON.stringify(value)),
    ...messages,
  };
}
