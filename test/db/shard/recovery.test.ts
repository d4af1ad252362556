import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lane } from '../../../engine/commit/lane.ts';
import type { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { ShardState } from '../../../engine/plan/state/shard-state.ts';
import { connectionConfig } from '../../../engine/postgres/connect.ts';
import { acquireShards } from '../../../engine/shard/ownership/acquire-shards.ts';
import { shardSteps } from '../../../engine/shard/plan-transaction.ts';
import { recoverShard } from '../../../engine/shard/recovery/recover-shard.ts';
import { readShardContents } from '../../../engine/shard/recovery/shard-contents.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { action, apply, drain, world, type Action } from '../../helpers/histories.ts';
import { PlannerWorld, tenantId } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { watch } from '../../model/watch.ts';

const histories = Number(process.env['RECOVERY_HISTORIES'] ?? 200);
/** Apart from each other, so that one history's rows are not another's. */
const idsEach = 100_000;
const today = newId();

const database = databaseFixture();
let lane: Lane;
let started = 0;

beforeAll(async () => {
  lane = await Lane.connect(connectionConfig(database.url, 'test lane'), () => undefined);
  await lane.client.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [tenantId, 'recovery']);
});

afterAll(() => lane.close());

/** Writes what the planner's batches ask for as the owner would, and reads it back as an owner that takes over. */
class Disk {
  readonly #made: PlannerWorld;
  #waiting: { changes: ChangeSet; seq: number }[] = [];

  private constructor(made: PlannerWorld) {
    this.#made = made;
    made.write = (changes): void => {
      this.#waiting.push({ changes, seq: made.state.seq });
    };
  }

  static async under(made: PlannerWorld): Promise<Disk> {
    await lane.client.query('DELETE FROM workflow_version');
    await lane.client.query('DELETE FROM workflow');
    await lane.client.query('DELETE FROM worker');
    await lane.client.query('DELETE FROM rate_limit');
    const owned = await acquireShards(lane.client, { owner: newId(), wanted: [made.state.id] });
    const [shard] = owned;
    if (shard === undefined) throw new Error('the shard is not free');
    made.state = new ShardState({ ...shard, lostUs: 0 });
    return new Disk(made);
  }

  async flush(): Promise<void> {
    const { state } = this.#made;
    for (const { changes, seq } of this.#waiting) {
      if (changes.isEmpty) continue;
      const batch = state.lastTransaction + 1;
      await lane.commit(
        shardSteps([state]).map((step) => ({ ...step, seq })),
        batch,
        changes,
      );
      state.lastTransaction = batch;
    }
    this.#waiting = [];
  }

  /** Memory is lost. */
  async restart(): Promise<void> {
    await this.flush();
    const { id, epoch, lastTransaction, seq } = this.#made.state;
    const content = (await readShardContents(lane.client)).get(id) ?? { tenantIds: [], tasks: 0 };
    const owned = { id, epoch, lastTransaction, seq, lostUs: 0 };
    const { state, setAside } = await recoverShard(lane.client, owned, { content, nowUs: this.#made.nowUs });
    expect(setAside).toEqual([]);
    this.#made.state = state;
  }
}

type Step = Action | { do: 'restart' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: action },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** Who waits for which batch, in order, and how large its message would be. */
function buffers({ state }: PlannerWorld): string[] {
  const { tasks, batches } = state;
  const lines = [...batches.groups.values()].flatMap((group) =>
    [...group.buffers.values()].map(({ list, bytes }) => {
      const ids: string[] = [];
      for (let row = list.head; row !== undefined; row = list.after(row)) ids.push(tasks.id(row));
      return ids.length === 0 ? '' : `${group.key} ${bytes} ${ids.join()}`;
    }),
  );
  return lines.filter((line) => line !== '').sort();
}

/** @returns how many restarts there were */
async function live(steps: readonly Step[]): Promise<number> {
  await lane.client.query('UPDATE shard SET owner = NULL, last_seq = 0');
  started++;
  const made = new PlannerWorld({ like: today, from: started * idsEach });
  const disk = await Disk.under(made);
  world(made);
  const { model, compare } = watch(made);
  let restarts = 0;
  const restart = async (): Promise<void> => {
    restarts++;
    const gathered = buffers(made);
    await disk.restart();
    expect(buffers(made)).toEqual(gathered);
    model.restart(made.nowUs);
    compare();
  };
  try {
    for (const each of steps) {
      if (each.do === 'restart') await restart();
      else apply(made, each);
    }
    await restart();
    drain(made);
    await restart();
    expect(made.state.tasks.size).toBe(0);
    expect(made.broken()).toBeUndefined();
  } finally {
    await lane.client.query('DELETE FROM live');
    await lane.client.query('DELETE FROM wait');
  }
  return restarts;
}

describe('recovery, beside the reference model', () => {
  it('keeps batches that run, those that wait for one, and those whose worker has still to be told', async () => {
    const restart = { do: 'restart' } as const;
    // Picked so that it asks for no place, and for a unit that is there for three.
    const gather = { do: 'trigger', workflow: 'gather', priority: 1, pick: 30 } as const;
    const report = { do: 'batch', pick: 0, late: false } as const;
    await live([
      { do: 'register', slots: 2 },
      gather,
      gather,
      restart,
      { do: 'present', pick: 0 },
      gather,
      gather,
      { ...report, event: 'started', all: true },
      restart,
      { do: 'present', pick: 0 },
      { ...report, event: 'cancelled', all: false },
      restart,
      { do: 'present', pick: 0 },
      { do: 'tell' },
      { do: 'tell' },
      { ...report, event: 'completed', all: true },
      restart,
    ]);
  });

  it('gives an attempt that starts as its worker comes back its timeout from then, without the time of the absence', async () => {
    await live([
      { do: 'trigger', workflow: 'single', priority: 1, pick: 0 },
      { do: 'register', slots: 2 },
      { do: 'restart' },
      { do: 'advance', ms: 400_000 },
      {
        do: 'together',
        steps: [
          { do: 'absent', pick: 0 },
          { do: 'started', pick: 0 },
        ],
      },
    ]);
  });

  it(`changes nothing that was promised, over ${histories} random histories with restarts`, async () => {
    let restarts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
        restarts += await live(steps);
      }),
      { numRuns: histories },
    );
    process.stdout.write(`recovery: ${histories} histories, ${restarts} restarts\n`);
  }, 600_000);
});
