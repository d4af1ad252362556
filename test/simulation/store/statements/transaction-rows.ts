import { assertShards } from '../../../../engine/commit/statements/assert-shards.ts';
import { assertStaged } from '../../../../engine/commit/statements/assert-staged.ts';
import { updateSticky } from '../../../../engine/commit/statements/update-sticky.ts';
import {
  deleteDurableListens,
  deleteDurableTasks,
  insertDurableEntries,
  insertDurableListens,
  insertDurableResults,
} from '../../../../engine/commit/statements/write-durable.ts';
import { deleteWakings } from '../../../../engine/commit/statements/write-wakings.ts';
import { insertWorkers, updateWorkers } from '../../../../engine/commit/statements/write-workers.ts';
import { deleteStaged, insertStaged } from '../../../../engine/commit/staged-payloads.ts';
import { writeBeats } from '../../../../engine/writers/heartbeat-writer.ts';
import { mergedObjects } from '../jsonb.ts';
import { refusal } from '../refusal.ts';
import { selected, type StatementModel } from '../statement.ts';
import { checkOnce, deleting, inserting } from '../writers.ts';

const shards: StatementModel = {
  text: assertShards.text,
  run: ({ tables, transaction }, parameters) => {
    const ids = parameters.all(1, 'smallint');
    const epochs = parameters.all(2, 'bigint');
    const last = parameters.all(3, 'bigint');
    const seqs = parameters.all(4, 'bigint');
    const lost = parameters.all(5, 'bigint');
    const number = parameters.one(6, 'bigint');
    checkOnce(
      ids.map((id) => ({ id })),
      { key: 'id', table: 'shard' },
    );
    let moved = 0;
    for (const [at, id] of ids.entries()) {
      const row = tables.shard.get(transaction, id);
      if (row === undefined || row.epoch !== epochs[at] || row.last_batch !== last[at]) continue;
      tables.shard.update(transaction, row, { last_batch: number, last_seq: seqs[at], lost_us: lost[at] });
      moved++;
    }
    if (moved !== ids.length) throw refusal('22012', 'division by zero');
    return selected([{ owned: 1 }]);
  },
};

const staged: StatementModel = {
  text: assertStaged.text,
  run: ({ tables, transaction }, parameters) => {
    const ids = parameters.all(1, 'uuid');
    if (ids.some((id) => tables.staged_payload.get(transaction, id) === undefined))
      throw refusal('22012', 'division by zero');
    return selected([{ '?column?': 1 }]);
  },
};

const sticky: StatementModel = {
  text: updateSticky.text,
  run: ({ tables, transaction }, parameters) => {
    const workers = parameters.allOrNull(2, 'uuid');
    let rowCount = 0;
    for (const [at, id] of parameters.all(1, 'uuid').entries()) {
      const row = tables.live.get(transaction, id);
      if (row === undefined) continue;
      tables.live.update(transaction, row, { sticky_worker_id: workers[at] ?? null });
      rowCount++;
    }
    return { command: 'UPDATE', rows: [], rowCount };
  },
};

/** jsonb of a list of texts, as stored. */
function textsOf(json: unknown): string[] {
  const list: unknown = JSON.parse(String(json));
  if (!Array.isArray(list)) throw refusal('22023', 'cannot extract elements from a scalar');
  return list.map(String);
}

const workers = inserting({
  text: insertWorkers.text,
  table: 'worker',
  columns: ['id', 'tenant_id', 'name', 'actions', 'slots', 'labels', 'runtime'],
  types: { actions: 'jsonb' },
  computed: (values, { transaction }) => ({
    actions: textsOf(values['actions']),
    last_heartbeat_at: transaction.nowUs,
  }),
});

const workerUpdates: StatementModel = {
  text: updateWorkers.text,
  run: ({ tables, transaction }, parameters) => {
    const ids = parameters.all(1, 'uuid');
    const labels = parameters.allOrNull(2, 'jsonb');
    const paused = parameters.allOrNull(3, 'boolean');
    const ended = parameters.allOrNull(4, 'boolean');
    checkOnce(
      ids.map((id) => ({ id })),
      { key: 'id', table: 'worker' },
    );
    let rowCount = 0;
    for (const [at, id] of ids.entries()) {
      const row = tables.worker.get(transaction, id);
      if (row === undefined) continue;
      const added = labels[at] ?? null;
      tables.worker.update(transaction, row, {
        labels: added === null ? row.labels : mergedObjects(row.labels, added),
        paused: paused[at] ?? row.paused,
        ended_at: ended[at] === true ? (row.ended_at ?? transaction.nowUs) : row.ended_at,
      });
      rowCount++;
    }
    return { command: 'UPDATE', rows: [], rowCount };
  },
};

const heartbeats: StatementModel = {
  text: writeBeats.text,
  run: ({ tables, transaction, clockUs }, parameters) => {
    const agoMs = parameters.all(2, 'text').map(Number);
    let rowCount = 0;
    for (const [at, id] of parameters.all(1, 'uuid').entries()) {
      const row = tables.worker.get(transaction, id);
      if (row === undefined) continue;
      tables.worker.update(transaction, row, { last_heartbeat_at: clockUs - Math.round((agoMs[at] ?? 0) * 1000) });
      rowCount++;
    }
    return { command: 'UPDATE', rows: [], rowCount };
  },
};

const listensOfNodes: StatementModel = {
  text: deleteDurableListens.text,
  run: ({ tables, transaction }, parameters) => {
    const branches = parameters.all(2, 'integer');
    const nodes = parameters.all(3, 'integer');
    let rowCount = 0;
    for (const [at, taskId] of parameters.all(1, 'uuid').entries())
      for (const row of tables.durable_listen.find(transaction, 'task_id', taskId)) {
        if (row.branch !== branches[at] || row.node !== nodes[at]) continue;
        tables.durable_listen.delete(transaction, row);
        rowCount++;
      }
    return { command: 'DELETE', rows: [], rowCount };
  },
};

const listensOfTasks: StatementModel = {
  text: deleteDurableTasks.text,
  run: ({ tables, transaction }, parameters) => {
    let rowCount = 0;
    for (const taskId of parameters.all(1, 'uuid'))
      for (const row of tables.durable_listen.find(transaction, 'task_id', taskId)) {
        tables.durable_listen.delete(transaction, row);
        rowCount++;
      }
    return { command: 'DELETE', rows: [], rowCount };
  },
};

const wakings: StatementModel = {
  text: deleteWakings.text,
  run: ({ tables, transaction }, parameters) => {
    const seqs = parameters.all(2, 'bigint');
    let rowCount = 0;
    for (const [at, shard] of parameters.all(1, 'smallint').entries()) {
      const row = tables.event_waking.get(transaction, shard, seqs[at] ?? 0);
      if (row === undefined) continue;
      tables.event_waking.delete(transaction, row);
      rowCount++;
    }
    return { command: 'DELETE', rows: [], rowCount };
  },
};

const stageOne: StatementModel = {
  text: insertStaged.text,
  run: ({ tables, transaction }, parameters) => {
    tables.staged_payload.insert(transaction, { id: parameters.one(1, 'uuid'), value: parameters.one(2, 'text') });
    return { command: 'INSERT', rows: [], rowCount: 1 };
  },
};

/** What a transaction of the lane writes beside `transactionWrites`, and what is written apart from it. */
export const transactionRows = [
  shards,
  staged,
  sticky,
  workers,
  workerUpdates,
  heartbeats,
  inserting({
    text: insertDurableEntries.text,
    table: 'durable_entry',
    columns: ['task_id', 'branch', 'node', 'kind', 'fingerprint', 'asked', 'invocation', 'seq', 'child_run_id'],
  }),
  inserting({
    text: insertDurableResults.text,
    table: 'durable_result',
    columns: ['task_id', 'branch', 'node', 'condition', 'seq', 'status', 'payload', 'generation'],
    staged: 'payload',
  }),
  inserting({
    text: insertDurableListens.text,
    table: 'durable_listen',
    columns: [
      'task_id',
      'branch',
      'node',
      'condition',
      'tenant_id',
      'event_key',
      'scope',
      'guard',
      'expression',
      'seq',
    ],
    onConflict: 'nothing',
  }),
  listensOfNodes,
  listensOfTasks,
  wakings,
  stageOne,
  deleting({ text: deleteStaged.text, table: 'staged_payload' }),
];
