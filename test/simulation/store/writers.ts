import { parseValue, typeOf, type Columns, type ColumnType } from './columns.ts';
import type { Parameters } from './parameters.ts';
import { refusal } from './refusal.ts';
import type { TableName } from './schema.ts';
import type { Answer, Context, StatementModel } from './statement.ts';
import type { OnConflict, WritableTable } from './table.ts';

type Values = Record<string, unknown>;

interface Written {
  text: string;
  table: TableName;
}

function done(command: string, rowCount: number): Answer {
  return { command, rows: [], rowCount };
}

/** The type of a column. */
function columnType(columns: Columns, name: string): ColumnType {
  const spec = columns[name];
  if (spec === undefined) throw new Error(`there is no column ${name}`);
  return typeOf(spec).type;
}

/** One row for each element of the arrays that are bound to $1, $2, …: these are the named columns. */
function unnested(columns: Columns, names: readonly string[], parameters: Parameters): Values[] {
  const rows: Values[] = [];
  for (const [place, name] of names.entries()) {
    const values = parameters.allOrNull(place + 1, columnType(columns, name));
    if (place > 0 && values.length !== rows.length) throw new Error(`the array of ${name} is of another length`);
    for (const [at, value] of values.entries()) {
      const row = rows[at];
      if (row === undefined) rows.push({ [name]: value });
      else row[name] = value;
    }
  }
  return rows;
}

/** `INSERT … SELECT … FROM unnest(…)`. */
export function inserting(
  written: Written & {
    columns: readonly string[];
    /** The column whose text may be staged: the last array has the ids. */
    staged?: string;
    onConflict?: OnConflict;
    /** Values that the statement makes itself. */
    computed?: (values: Values, context: Context) => Values;
    /** Types of arrays that are no column's. */
    types?: Columns;
  },
): StatementModel {
  const { text, columns, staged } = written;
  return {
    text,
    run: (context, parameters) => {
      const table: WritableTable = context.tables[written.table];
      const types = { ...table.shape.columns, ...written.types };
      const rows = unnested(types, columns, parameters);
      const ids = staged === undefined ? [] : parameters.allOrNull(columns.length + 1, 'uuid');
      for (const [at, row] of rows.entries()) {
        const id = ids[at] ?? null;
        if (staged !== undefined && id !== null) row[staged] = stagedText(context, id);
        if (written.computed !== undefined) Object.assign(row, written.computed(row, context));
      }
      return done('INSERT', insertAll(context, { table, rows, onConflict: written.onConflict }));
    },
  };
}

/** Both ways in which rows of a table come: `COPY … FROM STDIN` in the text format, whose lines are bound to $1, and one by one. */
export function copying({
  text,
  one,
  table: name,
}: {
  text: string;
  one: { text: string };
  table: TableName;
}): StatementModel[] {
  const columns = /\((.*)\) FROM/.exec(text)?.[1]?.split(', ') ?? [];
  return [
    {
      text,
      run: (context, parameters) => {
        const table: WritableTable = context.tables[name];
        const lines = parameters.one(1, 'text').split('\n');
        if (lines.pop() !== '') throw new Error('the last line has no end');
        const rows = lines.map((line): Values => {
          const fields = line.split('\t');
          if (fields.length !== columns.length) throw refusal('22P04', 'missing data, or extra data after last column');
          return Object.fromEntries(columns.map((column, at) => [column, fieldOf(table, column, fields[at] ?? '')]));
        });
        return done('COPY', insertAll(context, { table, rows, onConflict: undefined }));
      },
    },
    {
      text: one.text,
      run: (context, parameters) => {
        const table: WritableTable = context.tables[name];
        if (parameters.count !== columns.length) throw refusal('08P01', 'another number of parameters');
        const values = columns.map((column, at) => [
          column,
          parameters.orNull(at + 1, columnType(table.shape.columns, column)),
        ]);
        const row: Values = Object.fromEntries(values);
        return done('INSERT', insertAll(context, { table, rows: [row], onConflict: undefined }));
      },
    },
  ];
}

function fieldOf(table: WritableTable, column: string, field: string): unknown {
  if (field === '\\N') return null;
  const unescaped = field.replace(/\\(.)/g, (_, character: string) => copyEscapes[character] ?? character);
  return parseValue(columnType(table.shape.columns, column), unescaped);
}

const copyEscapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function stagedText({ tables, transaction }: Context, id: string): string | null {
  return tables.staged_payload.get(transaction, id)?.value ?? null;
}

function insertAll(
  context: Context,
  { table, rows, onConflict }: { table: WritableTable; rows: readonly Values[]; onConflict: OnConflict | undefined },
): number {
  const { transaction } = context;
  const own = new Set<string>();
  const inserted: Values[] = [];
  for (const row of rows) {
    const key = table.keyOf(row);
    if (onConflict === undefined) table.insert(transaction, row);
    const did =
      onConflict === undefined ? 'inserted' : table.upsert(transaction, row, { onConflict, isOwn: own.has(key) });
    if (did === 'inserted') inserted.push(row);
    if (did !== 'nothing') own.add(key);
  }
  // Of what is updated, the columns that refer to others stay.
  checkReferences(context, table, inserted);
  return onConflict === undefined ? rows.length : own.size;
}

function checkReferences({ tables, transaction }: Context, table: WritableTable, rows: readonly Values[]): void {
  for (const [column, name] of Object.entries(table.shape.references ?? {})) {
    const other = name === 'tenant' ? tables.tenant : name === 'workflow' ? tables.workflow : undefined;
    if (other === undefined) throw new Error(`no column refers to ${name}`);
    for (const row of rows) {
      if (other.get(transaction, String(row[column])) !== undefined) continue;
      const constraint = `${table.shape.name}_${column}_fkey`;
      throw refusal('23503', `insert on table "${table.shape.name}" violates foreign key constraint "${constraint}"`);
    }
  }
}

/** `UPDATE … SET a = u.a, … FROM unnest(…) AS u WHERE key = u.key`. The first column is the key. */
export function updating(
  written: Written & {
    key: string;
    columns: readonly string[];
  },
): StatementModel {
  return {
    text: written.text,
    run: (context, parameters) => {
      const table: WritableTable = context.tables[written.table];
      const rows = unnested(table.shape.columns, [written.key, ...written.columns], parameters);
      checkOnce(rows, written);
      return done('UPDATE', rows.filter((row) => table.overwrite(context.transaction, row)).length);
    },
  };
}

/** Of two source rows for one key, Postgres takes any. */
export function checkOnce(rows: readonly Values[], { key, table }: { key: string; table: string }): void {
  if (new Set(rows.map((row) => row[key])).size < rows.length)
    throw new Error(`an UPDATE of ${table} has two rows for one ${key}: which of them counts is not defined`);
}

/** `DELETE … USING unnest($1)`, by a primary key of one column. */
export function deleting(written: Written): StatementModel {
  return {
    text: written.text,
    run: (context, parameters) => {
      const table: WritableTable = context.tables[written.table];
      const keys = new Set(parameters.all(1, 'uuid'));
      return done('DELETE', [...keys].filter((key) => table.remove(context.transaction, key)).length);
    },
  };
}
