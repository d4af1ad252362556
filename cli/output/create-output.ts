import pc from 'picocolors';
import type { CliContext } from '../cli-context.ts';
import type { Output, OutputFormat, Page } from './output.ts';
import { jsonText, plainLines } from './plain-text.ts';
import { renderTable, type ListRow, type Table } from './table.ts';

type Streams = Pick<CliContext, 'stdout' | 'stderr' | 'env'>;

/** The Output of a command, in the form that its `-o` chose. */
export function createOutput(format: OutputFormat, streams: Streams): Output {
  const { createColors } = pc;
  const colors = createColors(streams.stderr.isTTY && streams.env['NO_COLOR'] === undefined);
  const print = (text: string): void => void streams.stdout.write(`${text}\n`);
  const say = (text: string): void => void streams.stderr.write(`${text}\n`);
  const messages = {
    note: (text: string) => say(plainLines(text)),
    warn: (text: string) => say(`${colors.yellow('warning')} ${plainLines(text)}`),
  };
  if (format === 'text') return textOutput((text) => print(plainLines(text)), messages);
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
    value: (value) => print(jsonText(value)),
    list<Row extends ListRow>(page: Page<Row>) {
      if (format === 'json') print(jsonText(page));
      else for (const row of page.rows) print(jsonText(row));
    },
    item: (value) => print(jsonText(value)),
    ...messages,
  };
}
