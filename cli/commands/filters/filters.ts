import type { Filter, Hatchet } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkObject } from '../../input/check-input.ts';
import { offsetPage, offsetQuery, type OffsetFlags } from '../../input/offset-page.ts';
import { jsonText, plainLines } from '../../output/plain-text.ts';
import type { Table } from '../../output/table.ts';

export type FilterFlags = ConnectionFlags & OutputFlag;

export interface ListFiltersFlags extends FilterFlags, OffsetFlags {
  workflow?: string;
  scope?: string[];
}

export interface UpdateFilterFlags extends FilterFlags {
  scope?: string;
  expression?: string;
  payload?: string;
}

export interface CreateFilterFlags extends UpdateFilterFlags {
  scope: string;
  expression: string;
}

interface FilterRow {
  filterId: string;
  workflow: string;
  scope: string;
  expression: string;
  payload: object;
  /** It came with the workflow's registration. */
  declared: boolean;
}

const mostWorkflows = 1000;

const table: Table<FilterRow> = {
  columns: [
    { title: 'FILTER', cell: (row) => row.filterId },
    { title: 'WORKFLOW', cell: (row) => row.workflow, max: 40 },
    { title: 'SCOPE', cell: (row) => row.scope, max: 30 },
    { title: 'EXPRESSION', cell: (row) => row.expression },
    { title: 'DECLARED', cell: (row) => (row.declared ? 'yes' : 'no') },
  ],
  empty: 'No filters.',
};

/** Workflows' names by id; one that is not among them shows by its id. */
async function rowsOf(hatchet: Hatchet, filters: readonly Filter[]): Promise<FilterRow[]> {
  const { rows: workflows = [] } = filters.length === 0 ? {} : await hatchet.workflows.list({ limit: mostWorkflows });
  const names = new Map(workflows.map((workflow) => [workflow.metadata.id, workflow.name]));
  return filters.map(({ metadata, workflowId, scope, expression, payload, isDeclarative }) => ({
    filterId: metadata.id,
    workflow: names.get(workflowId) ?? workflowId,
    scope,
    expression,
    payload: payload ?? {},
    declared: isDeclarative === true,
  }));
}

/** @throws HatchetError UNKNOWN_WORKFLOW */
export async function listFilters(context: CliContext, flags: ListFiltersFlags): Promise<ExitCode> {
  const { workflow, scope = [] } = flags;
  const rows = await withSdk(context, flags, async (hatchet) => {
    const workflowIds = workflow === undefined ? [] : [(await hatchet.workflows.get(workflow)).metadata.id];
    const { rows: filters = [] } = await hatchet.filters.list({ ...offsetQuery(flags), workflowIds, scopes: scope });
    return rowsOf(hatchet, filters);
  });
  outputOf(context, flags).list(offsetPage(rows, flags), table);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function getFilter(context: CliContext, id: string, flags: FilterFlags): Promise<ExitCode> {
  await showOne(context, flags, { act: (hatchet) => hatchet.filters.get(id), text: render });
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function createFilter(context: CliContext, workflow: string, flags: CreateFilterFlags): Promise<ExitCode> {
  const { scope, expression } = flags;
  const payload = checkObject(flags.payload ?? '{}', '--payload');
  await showOne(context, flags, {
    act: async (hatchet) =>
      hatchet.filters.create({
        workflowId: (await hatchet.workflows.get(workflow)).metadata.id,
        scope,
        expression,
        payload,
      }),
    text: (row) => row.filterId,
  });
  return ExitCode.done;
}

/** @throws CliError, HatchetError */
export async function updateFilter(context: CliContext, id: string, flags: UpdateFilterFlags): Promise<ExitCode> {
  const { scope, expression } = flags;
  const payload = flags.payload === undefined ? undefined : checkObject(flags.payload, '--payload');
  if (scope === undefined && expression === undefined && payload === undefined)
    throw wrongUse('nothing to change was given', 'Give --scope, --expression or --payload.');
  const change = {
    ...(scope === undefined ? {} : { scope }),
    ...(expression === undefined ? {} : { expression }),
    ...(payload === undefined ? {} : { payload }),
  };
  await showOne(context, flags, { act: (hatchet) => hatchet.filters.update(id, change), text: render });
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function deleteFilter(context: CliContext, id: string, flags: FilterFlags): Promise<ExitCode> {
  await withSdk(context, flags, (hatchet) => hatchet.filters.delete(id));
  outputOf(context, flags).value({ filterId: id, deleted: true }, () => `${id}  deleted`);
  return ExitCode.done;
}

async function showOne(
  context: CliContext,
  flags: FilterFlags,
  { act, text }: { act: (hatchet: Hatchet) => Promise<Filter>; text: (row: FilterRow) => string },
): Promise<void> {
  const [row] = await withSdk(context, flags, async (hatchet) => rowsOf(hatchet, [await act(hatchet)]));
  if (row === undefined) throw new Error('a filter has no row'); // Invariant: rowsOf keeps their number.
  outputOf(context, flags).value(row, () => text(row));
}

function render(row: FilterRow): string {
  return plainLines(
    `${row.workflow}  scope ${row.scope}  ${row.filterId}\n${row.expression}\npayload ${jsonText(row.payload)}`,
  );
}
