import { status } from '@grpc/grpc-js';
import type { RestQuery } from '../../../sdk/connection/rest.ts';
import { ServerError } from '../../output/server-error.ts';
import { fitsQuery } from '../run-query.ts';
import type { RunFilter } from '../run-reader.ts';
import type { RunStatusName } from '../../status-name.ts';
import type { RestClient } from './rest-client.ts';
import type { Rows, RunDetailsShape, RunShape, WorkflowShape } from './rest-shapes.ts';
import { runRow } from './run-rows.ts';
import { microseconds } from './stored-values.ts';

/** Rows of one answer. */
const mostRows = 1000;
/** Runs that one call looks through for those that fit: what REST cannot select by is compared here. */
const mostScanned = 20_000;
const usualLimit = 50;

const path = '/api/v1/stable/tenants/:tenant/workflow-runs';

/**
 * Where a page begins: after this run. A number of rows would not do: runs are added in front, and leave a list of one
 * status while it is read. Has the run itself left it, those of its moment are given once more: rather twice than never.
 */
interface Place {
  /** Of its creation. */
  us: number;
  id: string;
  /** Runs of that millisecond that were given, itself among them. */
  given: number;
}

/** Runs as REST gives them, newest first, and where to go on. @throws ServerError */
export async function listRunShapes(
  client: Pick<RestClient, 'get'>,
  filter: RunFilter,
  options: { tasksOf?: readonly string[] } = {},
): Promise<{ rows: RunShape[]; next: string | null }> {
  const { limit = usualLimit } = filter;
  const workflowIds = await idsOf(client, filter.workflows);
  if (workflowIds?.length === 0) return { rows: [], next: null };
  const query = queryOf(filter, workflowIds);
  const rows: RunShape[] = [];
  let place = filter.page === undefined ? undefined : await placeOf(client, filter.page);
  let readsWhole = needsScan(filter);
  for (let scanned = 0; ;) {
    const wanted = readsWhole ? mostRows : Math.min(mostRows, limit - rows.length + 1);
    const page = await readPage(client, { query, place, limit: wanted, parents: options.tasksOf });
    if (page.rows.length === 0 && page.more && !readsWhole) {
      // All that came was given before.
      readsWhole = true;
      continue;
    }
    for (const run of page.rows) {
      if (fits(filter, run)) {
        if (rows.length === limit) return { rows, next: formatPlace(place) };
        rows.push(run);
      }
      place = after(place, run);
    }
    scanned += page.rows.length;
    if (!page.more || page.rows.length === 0) return { rows, next: null };
    if (scanned >= mostScanned) return { rows, next: formatPlace(place) };
  }
}

/** What REST has no parameter for. */
function needsScan({ search, statuses }: RunFilter): boolean {
  return (
    (search !== undefined && search !== '') ||
    statuses?.includes('EVICTED') === true ||
    statuses?.includes('RUNNING') === true
  );
}

function fits(filter: RunFilter, run: RunShape): boolean {
  const { statuses = [], since, until, metadata = {}, search = '' } = filter;
  return fitsQuery({ statuses, workflows: [], since, until, metadata, search, problem: undefined }, runRow(run));
}

function queryOf(filter: RunFilter, workflowIds: readonly string[] | undefined): RestQuery {
  const { statuses = [], since, until, metadata = {} } = filter;
  const pairs = Object.entries(metadata);
  return {
    // Required of a cluster: all that it keeps.
    since: (since ?? new Date(0)).toISOString(),
    until: until?.toISOString(),
    statuses: [...new Set(statuses.map(wireStatus))],
    running_filter: runningFilter(statuses),
    workflow_ids: workflowIds,
    additional_metadata: pairs.map(([key, value]) => `${key}:${value}`),
    // Of several pairs a cluster would ask for one of them.
    additional_metadata_operator: pairs.length > 1 ? 'AND' : undefined,
    triggering_event_external_id: filter.eventId,
    only_tasks: false,
    include_payloads: false,
  };
}

function wireStatus(name: RunStatusName): string {
  return name === 'EVICTED' ? 'RUNNING' : name;
}

function runningFilter(statuses: readonly RunStatusName[]): string | undefined {
  const [running, evicted] = [statuses.includes('RUNNING'), statuses.includes('EVICTED')];
  if (running === evicted) return undefined;
  return running ? 'ON_WORKER' : 'EVICTED';
}

/** Ids of the workflows; names that nobody knows have none. */
async function idsOf(
  client: Pick<RestClient, 'get'>,
  names: readonly string[] | undefined,
): Promise<string[] | undefined> {
  if (names === undefined || names.length === 0) return undefined;
  const found = await Promise.all(names.map(async (name) => (await workflowByName(client, name))?.metadata.id));
  return found.filter((id) => id !== undefined);
}

/** REST finds parts of names. */
export async function workflowByName(
  client: Pick<RestClient, 'get'>,
  name: string,
): Promise<WorkflowShape | undefined> {
  const { rows = [] } = await client.get<Rows<WorkflowShape>>('/api/v1/tenants/:tenant/workflows', {
    name,
    limit: mostRows,
  });
  return rows.find((row) => row.name === name) ?? rows.find((row) => row.name.toLowerCase() === name.toLowerCase());
}

interface PageRead {
  query: RestQuery;
  place: Place | undefined;
  limit: number;
  /** Tasks of which the runs are children. */
  parents: readonly string[] | undefined;
}

/** The runs from a place on, each once. */
async function readPage(
  client: Pick<RestClient, 'get'>,
  { query, place, limit, parents }: PageRead,
): Promise<{ rows: RunShape[]; more: boolean }> {
  // One of our engines takes `until` as a bound that is not reached, a cluster as one that is.
  const until = place === undefined ? query['until'] : new Date(Math.floor(place.us / 1000) + 1).toISOString();
  const given = place?.given ?? 0;
  const asked = Math.min(mostRows, limit + given);
  // Of more runs of one millisecond than an answer holds, those that do not fit are left out by their number.
  const offset = Math.max(0, given + limit - asked);
  const lists = await Promise.all(
    (parents ?? [undefined]).map(
      async (parent) =>
        (
          await client.get<Rows<RunShape>>(path, {
            ...query,
            until,
            limit: asked,
            offset: offset === 0 ? undefined : offset,
            parent_task_external_id: parent,
          })
        ).rows ?? [],
    ),
  );
  const more = lists.some((rows) => rows.length >= asked);
  let rows = lists.flat();
  if (lists.length > 1) rows = rows.sort((a, b) => createdUs(b) - createdUs(a)).slice(0, asked);
  if (place === undefined) return { rows, more };
  const at = rows.findIndex((run) => run.workflowRunExternalId === place.id);
  return { rows: at >= 0 ? rows.slice(at + 1) : rows.filter((run) => createdUs(run) <= place.us), more };
}

function createdUs({ metadata }: RunShape): number {
  return microseconds(metadata.createdAt);
}

function after(place: Place | undefined, run: RunShape): Place {
  const us = createdUs(run);
  const isSame = place !== undefined && Math.floor(place.us / 1000) === Math.floor(us / 1000);
  return { us, id: run.workflowRunExternalId, given: isSame ? place.given + 1 : 1 };
}

function formatPlace(place: Place | undefined): string | null {
  return place === undefined ? null : `${place.us}.${place.given}.${place.id}`;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A page's token, or a run after which to go on. @throws ServerError */
async function placeOf(client: Pick<RestClient, 'get'>, text: string): Promise<Place> {
  if (!uuid.test(text)) return parsePlace(text);
  const { run } = await client.get<RunDetailsShape>(`/api/v1/stable/workflow-runs/${text}`);
  return { us: microseconds(run.metadata.createdAt), id: run.metadata.id, given: 1 };
}

/** @throws ServerError */
function parsePlace(text: string): Place {
  const match = /^(\d{1,16})\.(\d{1,9})\.(\S{1,64})$/.exec(text);
  if (match?.[3] === undefined)
    throw new ServerError(`${JSON.stringify(text)} is no page of this list`, {
      status: status.INVALID_ARGUMENT,
      remedy: 'Give --page what the page before has said, on the same engine.',
      cause: undefined,
    });
  return { us: Number(match[1]), given: Number(match[2]), id: match[3] };
}
