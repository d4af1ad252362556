import type { DoubleState } from './double-state.ts';

export interface RestCall {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

export interface RestAnswer {
  status: number;
  body: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Routes of ours that a cluster does not have. */
const oursAlone = [/^\/api\/v1\/tenants\/[^/]+\/audit$/];

/** A pause says all of these there. */
const pauseFields = [
  'pausedWorkflowCronRunQueueBehavior',
  'pausedWorkflowScheduledRunQueueBehavior',
  'pausedWorkflowQueueTTL',
];

/** Asks the engine, and gives its answer as a cluster would have. */
export async function clusterAnswer(
  call: RestCall,
  state: DoubleState,
  ask: () => Promise<RestAnswer>,
): Promise<RestAnswer> {
  if (oursAlone.some((route) => route.test(call.path))) return { status: 403, body: null };
  if ([...state.ghosts].some((id) => call.path.includes(id))) return { status: 404, body: { message: 'not found' } };
  if (isBadPause(call)) return { status: 500, body: { message: 'Internal Server Error' } };
  const answer = await ask();
  if (answer.status >= 400) return failed(call, answer);
  if (isTaskAsRun(call, answer.body)) return { status: 404, body: { message: 'not found' } };
  return { status: answer.status, body: reshaped(call, answer.body) };
}

function isBadPause({ method, path, body }: RestCall): boolean {
  if (method !== 'PATCH' || !/^\/api\/v1\/workflows\/[^/]+$/.test(path)) return false;
  const pause = isFields(body) ? body['pause'] : undefined;
  if (!isFields(pause)) return true;
  return pause['action'] === 'pause' && pauseFields.some((name) => typeof pause[name] !== 'string');
}

/** A run is found by its own id alone, not by one of its tasks'. */
function isTaskAsRun({ path }: RestCall, body: unknown): boolean {
  const id = /\/stable\/workflow-runs\/([^/]+)$/.exec(path)?.[1];
  const run = isFields(body) ? body['run'] : undefined;
  const meta = isFields(run) ? run['metadata'] : undefined;
  return id !== undefined && isFields(meta) && meta['id'] !== id;
}

function failed({ method, path }: RestCall, { status, body }: RestAnswer): RestAnswer {
  // A timer of a workflow that nobody knows is a bad request there.
  if (status === 404 && method === 'POST' && /\/workflows\/[^/]+\/(?:crons|scheduled)$/.test(path))
    return { status: 400, body: { errors: [{ description: 'workflow not found' }] } };
  if (status === 404) return { status, body: { message: 'not found' } };
  const errors: unknown = isFields(body) ? body['errors'] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return { status, body: { message: isFields(first) ? first['description'] : 'Internal Server Error' } };
}

function reshaped(call: RestCall, body: unknown): unknown {
  if (call.path.endsWith('/rate-limits'))
    return mapRows(body, (row) => ({ ...row, window: `1 ${String(row['window'])}` }));
  if (/\/stable\/tenants\/[^/]+\/workflow-runs$/.test(call.path)) {
    const hasPayloads = call.query.get('include_payloads') === 'true';
    return mapRows(body, (row) => runRow(row, hasPayloads));
  }
  if (/\/stable\/workflow-runs\/[^/]+$/.test(call.path) && isFields(body)) return details(body);
  if (/\/stable\/tasks\/[^/]+$/.test(call.path) && isFields(body)) return withErrorJson(body);
  return body;
}

function details(body: Fields): Fields {
  const tasks = Array.isArray(body['tasks']) ? body['tasks'].filter(isFields) : [];
  const run = isFields(body['run']) ? withErrorJson(body['run']) : undefined;
  // A run of one task without a graph is that task, and has its envelope.
  const [first] = tasks;
  const isTask = tasks.length === 1 && first?.['taskExternalId'] === first?.['workflowRunExternalId'];
  return {
    ...body,
    run: run === undefined ? undefined : isTask ? { ...run, input: envelope(run['input']) } : run,
    tasks: tasks.map((task) => ({ ...taskRow(task, true), createdAt: unknownTime, workflowName: undefined })),
    // Those of a run of one task are told by the task alone.
    ...(isTask ? { taskEvents: [] } : {}),
    workflowConfig: configOf(tasks),
  };
}

const unknownTime = '0001-01-01T00:00:00Z';

/** What the workflow was registered with, as far as a run shows it. */
function configOf(tasks: readonly Fields[]): Fields {
  const steps = tasks.map((task) => ({ ReadableId: String(task['displayName']).replace(/-\d+$/, ''), Retries: 0 }));
  return { Name: tasks[0]?.['workflowName'], Tasks: steps.length === 0 ? null : steps };
}

function runRow(row: Fields, hasPayloads: boolean): Fields {
  const children = Array.isArray(row['children'])
    ? row['children'].filter(isFields).map((child) => taskRow(child, hasPayloads))
    : undefined;
  const own = row['type'] === 'TASK' ? taskRow(row, hasPayloads) : withPayloads(withErrorJson(row), hasPayloads);
  return { ...own, ...(children === undefined ? {} : { children }) };
}

function taskRow(task: Fields, hasPayloads: boolean): Fields {
  return withPayloads({ ...withErrorJson(task), input: envelope(task['input']) }, hasPayloads);
}

function withPayloads(row: Fields, hasPayloads: boolean): Fields {
  return hasPayloads ? row : { ...row, input: {}, output: {} };
}

function envelope(input: unknown): Fields {
  return {
    input,
    overrides: null,
    parents: {},
    triggered_by: 'manual',
    triggers: { filter_payload: null },
    user_data: null,
  };
}

/** Failures are told as the SDK has sent them. */
function withErrorJson(row: Fields): Fields {
  const message = row['errorMessage'];
  return typeof message === 'string' && message !== '' && !message.startsWith('{')
    ? { ...row, errorMessage: JSON.stringify({ message, stack: `Error: ${message}` }) }
    : row;
}

function mapRows(body: unknown, map: (row: Fields) => Fields): unknown {
  return isFields(body) && Array.isArray(body['rows'])
    ? { ...body, rows: body['rows'].filter(isFields).map(map) }
    : body;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
