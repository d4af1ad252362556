import { readBackend } from '../../../../engine/commit/lane.ts';
import { readTime } from '../../../../engine/postgres/postgres-clock.ts';
import * as lease from '../../../../engine/shard/ownership/process-lease.ts';
import * as ownedShards from '../../../../engine/shard/ownership/owned-shards.ts';
import * as channel from '../../../../engine/shard/ownership/shards-channel.ts';
import * as replica from '../../../../engine/shard/ownership/replica-record.ts';
import * as settling from '../../../../engine/shard/ownership/fate-of-lost-commit.ts';
import * as take from '../../../../engine/shard/ownership/acquire-shards.ts';
import { timestampText } from '../columns.ts';
import { big, byText, selected, type Context, type StatementModel } from '../statement.ts';

const leaseUs = 5_000_000;
const hourUs = 3_600_000_000;
/** Of pg_terminate_backend. */
const terminateUs = 5_000_000;

interface ShardRow {
  readonly id: number;
  readonly owner: string | null;
  readonly epoch: number;
  readonly last_batch: number;
  readonly last_seq: number;
  readonly lost_us: number;
  readonly absent_since: number | null;
}

function shardAnswer(row: ShardRow, lostUs = row.lost_us): Record<string, unknown> {
  return {
    id: row.id,
    epoch: big(row.epoch),
    last_batch: big(row.last_batch),
    last_seq: big(row.last_seq),
    lost_us: big(lostUs),
  };
}

/** Owners of whom any connection is there. */
function connected(context: Context): Set<string> {
  const names = context.activity().map(({ applicationName }) => applicationName);
  return new Set(names.filter((name) => /^hatchet (lane|lease) /.test(name)).map((name) => name.slice(-36)));
}

function expiryOf({ tables, transaction }: Context, owner: string | null): number | undefined {
  return owner === null ? undefined : tables.shard_owner.get(transaction, owner)?.expires_at;
}

/** Never owned, its own, or of an owner whose lease has run out. */
function isFree(context: Context, row: ShardRow, owner: string): boolean {
  const expiry = expiryOf(context, row.owner);
  return row.owner === null || row.owner === owner || expiry === undefined || expiry < context.clockUs;
}

function* shardsOf({ tables, transaction }: Context, ids: readonly number[]): Generator<ShardRow> {
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
    const row = tables.shard.get(transaction, id);
    if (row !== undefined) yield row;
  }
}

const backend: StatementModel = {
  text: readBackend,
  run: ({ activity, pid }) => {
    const own = activity().find((each) => each.pid === pid);
    return selected(own === undefined ? [] : [{ pid, start: timestampText(own.startUs) }]);
  },
};

const time: StatementModel = { text: readTime, run: ({ clockUs }) => selected([{ ms: (clockUs / 1_000_000) * 1000 }]) };

const alive: StatementModel = { text: 'SELECT 1', run: () => selected([{ '?column?': 1 }]) };

const renew: StatementModel = {
  text: lease.renew.text,
  run: (context, parameters) => {
    const { tables, transaction, clockUs } = context;
    const self = parameters.one(1, 'uuid');
    // All is read as it was before the renewal.
    const there = connected(context);
    const survey = (shard: ShardRow | undefined, owner: string | null): Record<string, unknown> => {
      const expiry = expiryOf(context, owner);
      const replica = owner === null ? undefined : tables.replica.get(transaction, owner);
      const since = shard?.absent_since ?? expiry ?? -Infinity;
      return {
        id: shard?.id ?? null,
        owner,
        free: shard === undefined || shard.owner === null || owner === self || expiry === undefined || expiry < clockUs,
        abandoned: since < clockUs - leaseUs,
        alive: owner !== null && expiry !== undefined && expiry >= clockUs && there.has(owner),
        grpc_address: replica?.grpc_address ?? null,
        http_address: replica?.http_address ?? null,
      };
    };
    const shards = [...tables.shard.rows(transaction)].sort((a, b) => a.id - b.id);
    const owning = new Set(shards.map(({ owner }) => owner));
    const idle = [...tables.shard_owner.rows(transaction)]
      .filter(({ id }) => !owning.has(id))
      .sort((a, b) => byText(a.id, b.id));
    const rows = [...shards.map((row) => survey(row, row.owner)), ...idle.map(({ id }) => survey(undefined, id))];
    const values = { id: self, expires_at: clockUs + leaseUs };
    const present = tables.shard_owner.existing(transaction, values, { locks: true });
    if (present === undefined) tables.shard_owner.insert(transaction, values);
    else tables.shard_owner.update(transaction, present, { expires_at: values.expires_at });
    return selected(rows);
  },
};

const acquire: StatementModel = {
  text: take.acquireFree.text,
  run: (context, parameters) => {
    const { tables, transaction, clockUs } = context;
    const owner = parameters.one(1, 'uuid');
    const gone = new Set(parameters.all(3, 'uuid'));
    const graceUs = parameters.one(4, 'bigint');
    const there = connected(context);
    const rows: Record<string, unknown>[] = [];
    for (const row of shardsOf(context, parameters.all(2, 'smallint'))) {
      const isGone = row.owner !== null && gone.has(row.owner) && !there.has(row.owner);
      if (!isFree(context, row, owner) && !isGone) continue;
      if (tables.shard.isHeld(transaction, row)) continue;
      const expiry = expiryOf(context, row.owner);
      // least() leaves NULLs out.
      const since = row.absent_since ?? (expiry === undefined ? clockUs : Math.min(expiry - leaseUs, clockUs));
      const changed = tables.shard.update(transaction, row, { owner, epoch: row.epoch + 1, absent_since: since });
      const lostUs = row.lost_us + (row.epoch === 0 ? 0 : Math.max(0, clockUs - since) + graceUs);
      rows.push(shardAnswer(changed, lostUs));
    }
    return { command: 'UPDATE', rows, rowCount: rows.length };
  },
};

const serve: StatementModel = {
  text: ownedShards.serve.text,
  run: ({ tables, transaction }, parameters) => {
    const owner = parameters.one(1, 'uuid');
    const epochs = parameters.all(3, 'bigint');
    const lost = parameters.all(4, 'bigint');
    const rows: Record<string, unknown>[] = [];
    for (const [at, id] of parameters.all(2, 'smallint').entries()) {
      const row = tables.shard.get(transaction, id);
      if (row === undefined || row.epoch !== epochs[at] || row.owner !== owner) continue;
      tables.shard.update(transaction, row, { lost_us: lost[at], absent_since: null });
      rows.push({ id });
    }
    return { command: 'UPDATE', rows, rowCount: rows.length };
  },
};

const terminate: StatementModel = {
  text: settling.terminateBackend.text,
  run: (context, parameters) => {
    const pid = parameters.one(1, 'integer');
    const startUs = parameters.one(2, 'timestamptz');
    const found = context
      .activity()
      .filter((each) => each.pid === pid && each.startUs === startUs && pid !== context.pid);
    // Once it was told to end, it may be gone when this is run again.
    return selected(
      found.map(() => ({ pg_terminate_backend: context.terminate(pid, context.firstRunUs + terminateUs) })),
    );
  },
};

/** Of the wanted shards those of an owner, in the order of their ids. */
function ownedOf(context: Context, ids: readonly number[], owner: string): ShardRow[] {
  return [...shardsOf(context, ids)].filter((row) => row.owner === owner);
}

const lock: StatementModel = {
  text: settling.lockOwned.text,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const rows = ownedOf(context, parameters.all(2, 'smallint'), parameters.one(1, 'uuid'));
    for (const row of rows) tables.shard.lock(transaction, row);
    return selected(rows.map((row) => ({ id: row.id, epoch: big(row.epoch), last_batch: big(row.last_batch) })));
  },
};

const raise: StatementModel = {
  text: settling.raiseEpoch.text,
  run: (context, parameters) => {
    const { tables, transaction } = context;
    const rows = ownedOf(context, parameters.all(2, 'smallint'), parameters.one(1, 'uuid')).map((row) => {
      const { id, epoch } = tables.shard.update(transaction, row, { epoch: row.epoch + 1 });
      return { id, epoch: big(epoch) };
    });
    return { command: 'UPDATE', rows, rowCount: rows.length };
  },
};

const owned: StatementModel = {
  text: ownedShards.readOwned.text,
  run: (context, parameters) =>
    selected(ownedOf(context, parameters.all(2, 'smallint'), parameters.one(1, 'uuid')).map((row) => shardAnswer(row))),
};

const giveBack: StatementModel = {
  text: ownedShards.giveBack.text,
  run: (context, parameters) => {
    const { tables, transaction, clockUs } = context;
    const rows = ownedOf(context, parameters.all(2, 'smallint'), parameters.one(1, 'uuid'));
    for (const row of rows)
      tables.shard.update(transaction, row, { owner: null, absent_since: row.absent_since ?? clockUs });
    return { command: 'UPDATE', rows: [], rowCount: rows.length };
  },
};

const forget: StatementModel = {
  text: lease.forgetOwners.text,
  run: ({ tables, transaction, clockUs }, parameters) => {
    const own = parameters.orNull(1, 'uuid');
    const old = [...tables.shard_owner.rows(transaction)].filter(
      ({ id, expires_at }) =>
        (id === own || expires_at < clockUs - hourUs) && tables.shard.find(transaction, 'owner', id).length === 0,
    );
    let replicas = 0;
    for (const row of old.sort((a, b) => byText(a.id, b.id))) {
      tables.shard_owner.delete(transaction, row);
      const replica = tables.replica.get(transaction, row.id);
      if (replica === undefined) continue;
      tables.replica.delete(transaction, replica);
      replicas++;
    }
    return { command: 'DELETE', rows: [], rowCount: replicas };
  },
};

const listen: StatementModel = {
  text: channel.listenToShards,
  run: () => ({ command: 'LISTEN', rows: [], rowCount: null }),
};

const tell: StatementModel = { text: channel.tellOfShards.text, run: () => selected([{ pg_notify: '' }]) };

const storeReplica: StatementModel = {
  text: replica.writeReplica.text,
  run: ({ tables, transaction }, parameters) => {
    const values = {
      id: parameters.one(1, 'uuid'),
      grpc_address: parameters.one(2, 'text'),
      http_address: parameters.one(3, 'text'),
      certificate: parameters.orNull(4, 'text'),
    };
    const present = tables.replica.existing(transaction, values, { locks: true });
    if (present === undefined) tables.replica.insert(transaction, values);
    else tables.replica.update(transaction, present, values);
    return { command: 'INSERT', rows: [], rowCount: 1 };
  },
};

const dropReplica: StatementModel = {
  text: replica.dropReplica.text,
  run: ({ tables, transaction }, parameters) => {
    const row = tables.replica.get(transaction, parameters.one(1, 'uuid'));
    if (row !== undefined) tables.replica.delete(transaction, row);
    return { command: 'DELETE', rows: [], rowCount: row === undefined ? 0 : 1 };
  },
};

/** Who owns shards, and who is there. */
export const leaseStatements = [
  backend,
  time,
  alive,
  renew,
  listen,
  tell,
  storeReplica,
  dropReplica,
  acquire,
  serve,
  terminate,
  lock,
  raise,
  owned,
  giveBack,
  forget,
];
