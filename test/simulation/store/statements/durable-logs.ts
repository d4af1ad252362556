import * as results from '../../../../engine/monitor/durable/durable-results.ts';
import { readListeners } from '../../../../engine/shard/facts/durable-event-waiters.ts';
import * as logs from '../../../../engine/shard/facts/stored-durable-logs.ts';
import * as long from '../../../../engine/shard/facts/long-durable-logs.ts';
import type { Parameters } from '../parameters.ts';
import { big, byText, selected, type Context, type StatementModel } from '../statement.ts';
import { stepName, tasksOf } from './rows-of-a-run.ts';

type Answered = Record<string, unknown>;

interface Entry {
  readonly task_id: string;
  readonly branch: number;
  readonly node: number;
  readonly kind: number;
  readonly fingerprint: string;
  readonly asked: string;
  readonly invocation: number;
  readonly seq: number;
  readonly child_run_id: string | null;
}

function byPlace(a: { branch: number; node: number }, b: { branch: number; node: number }): number {
  return a.branch - b.branch || a.node - b.node;
}

function entriesOf({ tables, transaction }: Context, taskId: string): Entry[] {
  return tables.durable_entry.find(transaction, 'task_id', taskId).sort(byPlace);
}

/** How a whole node was satisfied. */
function wholeResult(
  { tables, transaction }: Context,
  { task_id, branch, node }: Entry,
): { seq: number; status: number } | undefined {
  return tables.durable_result.get(transaction, task_id, branch, node, -1);
}

function entryAnswer(entry: Entry, result: { seq: number; status: number } | undefined): Answered {
  const { task_id, branch, node, kind, fingerprint, asked, invocation, seq, child_run_id } = entry;
  return {
    task_id,
    branch,
    node,
    kind,
    fingerprint,
    asked,
    invocation,
    seq: big(seq),
    child_run_id,
    result_seq: result === undefined ? null : big(result.seq),
    status: result?.status ?? null,
  };
}

const shortLogs: StatementModel = {
  text: logs.readEntries.text,
  run: (context, parameters) => {
    const oldest = new Map(parameters.all(1, 'uuid').map((id, at) => [id, parameters.all(2, 'integer')[at] ?? 1]));
    const most = parameters.orNull(3, 'bigint') ?? Infinity;
    const isSeen = (entry: Entry): boolean => entry.branch === 0 || entry.branch >= (oldest.get(entry.task_id) ?? 1);
    return selected(
      [...parameters.all(1, 'uuid')]
        .sort(byText)
        .flatMap((id) => entriesOf(context, id).filter(isSeen).slice(0, most))
        .map((entry) => entryAnswer(entry, wholeResult(context, entry))),
    );
  },
};

/** Conditions of open waits that are met already. */
function metOf(
  { tables, transaction }: Context,
  taskId: string,
): { branch: number; node: number; condition: number; payload: string | null; seq: number; task_id: string }[] {
  return tables.durable_result
    .find(transaction, 'task_id', taskId)
    .filter(
      (row) =>
        row.condition >= 0 && tables.durable_result.get(transaction, taskId, row.branch, row.node, -1) === undefined,
    );
}

const met: StatementModel = {
  text: logs.readMet.text,
  run: (context, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .flatMap((id) => metOf(context, id))
        .map(({ task_id, branch, node, condition, payload }) => ({ task_id, branch, node, condition, payload })),
    ),
};

const points: StatementModel = {
  text: logs.readPoints.text,
  run: (context, parameters) =>
    selected(
      parameters
        .all(1, 'uuid')
        .sort(byText)
        .flatMap((id) => entriesOf(context, id))
        .filter((entry) => entry.kind === 0)
        .map(({ task_id, branch, node, asked }) => ({ task_id, branch, node, asked })),
    ),
};

const longPage: StatementModel = {
  text: long.readPage,
  run: (context, parameters) => {
    const after = { branch: parameters.one(2, 'integer'), node: parameters.one(3, 'integer') };
    return selected(
      entriesOf(context, parameters.one(1, 'uuid'))
        .filter((entry) => byPlace(entry, after) > 0)
        .slice(0, parameters.one(4, 'bigint'))
        .map((entry) => entryAnswer(entry, wholeResult(context, entry))),
    );
  },
};

const longMet: StatementModel = {
  text: long.readMet,
  run: (context, parameters) =>
    selected(
      metOf(context, parameters.one(1, 'uuid')).map(({ task_id, branch, node, condition, payload, seq }) => ({
        task_id,
        branch,
        node,
        condition,
        payload,
        seq: big(seq),
      })),
    ),
};

const longNewEntries: StatementModel = {
  text: long.readNewEntries.text,
  run: (context, parameters) => {
    const after = parameters.one(2, 'bigint');
    return selected(
      entriesOf(context, parameters.one(1, 'uuid'))
        .filter((entry) => entry.seq > after)
        .map((entry) => entryAnswer(entry, undefined)),
    );
  },
};

const longNewResults: StatementModel = {
  text: long.readNewResults.text,
  run: ({ tables, transaction }, parameters) => {
    const after = parameters.one(2, 'bigint');
    return selected(
      tables.durable_result
        .find(transaction, 'task_id', parameters.one(1, 'uuid'))
        .filter((row) => row.seq > after)
        .sort((a, b) => a.seq - b.seq)
        .map(({ task_id, branch, node, condition, payload, seq, status }) => ({
          task_id,
          branch,
          node,
          condition,
          payload,
          seq: big(seq),
          status,
        })),
    );
  },
};

interface Place {
  readonly guard: string;
  readonly task_id: string;
  readonly branch: number;
  readonly node: number;
  readonly condition: number;
}

/** As row values compare. */
function byTask(a: Place, b: Place): number {
  return byText(a.task_id, b.task_id) || byPlace(a, b) || a.condition - b.condition;
}

function byListener(a: Place, b: Place): number {
  const [one, other] = [BigInt(a.guard), BigInt(b.guard)];
  return one < other ? -1 : one > other ? 1 : byTask(a, b);
}

const listeners: StatementModel = {
  text: readListeners.text,
  run: ({ tables, transaction }, parameters) => {
    const before = parameters.one(12, 'wide');
    const each = parameters.one(13, 'bigint');
    const rows = comingEvents(parameters).flatMap(({ event, at, tenantId, key, scope, guard, after }) =>
      tables.durable_listen
        .find(transaction, 'tenant_id', tenantId)
        .filter((row) => row.event_key === key && row.scope === scope && (guard === null || row.guard === guard))
        .filter(
          (row) =>
            (guard === null ? byListener(row, after) : byTask(row, after)) > 0 && BigInt(row.seq) < BigInt(before),
        )
        .sort(byListener)
        .slice(0, each)
        .map(({ guard: own, task_id, branch, node, condition, expression }) => ({
          event,
          at,
          guard: own,
          task_id,
          branch,
          node,
          condition,
          expression,
        })),
    );
    return selected(
      rows.sort((a, b) => a.event - b.event || a.at - b.at || byListener(a, b)).slice(0, parameters.one(14, 'bigint')),
    );
  },
};

function comingEvents(parameters: Parameters): {
  event: number;
  at: number;
  tenantId: string;
  key: string;
  scope: string;
  guard: string | null;
  after: Place;
}[] {
  const ats = parameters.all(2, 'integer');
  const tenants = parameters.all(3, 'uuid');
  const keys = parameters.all(4, 'text');
  const scopes = parameters.all(5, 'text');
  const guards = parameters.allOrNull(6, 'wide');
  const afterGuards = parameters.all(7, 'wide');
  const tasks = parameters.all(8, 'uuid');
  const branches = parameters.all(9, 'integer');
  const nodes = parameters.all(10, 'integer');
  const conditions = parameters.all(11, 'integer');
  return parameters.all(1, 'integer').map((event, place) => ({
    event,
    at: ats[place] ?? 0,
    tenantId: tenants[place] ?? '',
    key: keys[place] ?? '',
    scope: scopes[place] ?? '',
    guard: guards[place] ?? null,
    after: {
      guard: afterGuards[place] ?? '0',
      task_id: tasks[place] ?? '',
      branch: branches[place] ?? 0,
      node: nodes[place] ?? 0,
      condition: conditions[place] ?? 0,
    },
  }));
}

/** `left(text, most)`. */
function cut(text: string | null, most: number): string | null {
  return text === null || text.length <= most ? text : Array.from(text).slice(0, most).join('');
}

const nodeResults: StatementModel = {
  text: results.readResults.text,
  run: ({ tables, transaction }, parameters) => {
    const branches = parameters.all(2, 'integer');
    const nodes = parameters.all(3, 'integer');
    const most = parameters.one(4, 'integer');
    return selected(
      parameters.all(1, 'uuid').flatMap((id, at) => {
        const place = [id, branches[at] ?? 0, nodes[at] ?? 0] as const;
        const result = tables.durable_result.get(transaction, ...place, -1);
        const entry = tables.durable_entry.get(transaction, ...place);
        if (result === undefined || entry === undefined) return [];
        const { task_id, branch, node, status, generation } = result;
        const { kind, child_run_id } = entry;
        return [{ task_id, branch, node, kind, status, payload: cut(result.payload, most), generation, child_run_id }];
      }),
    );
  },
};

/** `v.definition -> 'steps' -> step ->> 'name'`. */
const childResults: StatementModel = {
  text: results.readChildren.text,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const generations = parameters.all(2, 'integer');
    const most = parameters.one(3, 'integer');
    const given = new Map(
      parameters
        .all(1, 'uuid')
        .map((runId, at) => [`${runId} ${generations[at]}`, { runId, generation: generations[at] ?? 0 }]),
    );
    const rows: Answered[] = [];
    for (const { runId, generation } of [...given.values()].sort((a, b) => byText(a.runId, b.runId))) {
      const run = tables.run.get(transaction, runId);
      const version = run === undefined ? undefined : tables.workflow_version.get(transaction, run.version_id);
      if (version === undefined) continue;
      let bytes = 0;
      for (const task of tasksOf(context, runId).sort((a, b) => a.step - b.step)) {
        const [newest] = tables.result
          .find(transaction, 'task_id', task.id)
          .filter((row) => row.generation <= generation)
          .sort((a, b) => b.generation - a.generation);
        const output = newest?.output ?? null;
        rows.push({
          run_id: runId,
          generation,
          task_id: task.id,
          step_name: stepName(version.definition, task.step),
          output: bytes < most * 4 ? cut(output, most) : null,
          error: newest?.error ?? null,
        });
        bytes += output === null ? 0 : Buffer.byteLength(output);
      }
    }
    return selected(rows);
  },
};

/** The logs of durable tasks, and who listens for events. */
export const durableLogStatements = [
  shortLogs,
  met,
  points,
  longPage,
  longMet,
  longNewEntries,
  longNewResults,
  listeners,
  nodeResults,
  childResults,
];
