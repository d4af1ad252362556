import { expect, it } from 'vitest';
import { Lane, TransactionRefused, TransactionUnknown } from '../../../engine/commit/lane.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { settleLostCommit } from '../../../engine/shard/ownership/fate-of-lost-commit.ts';
import { giveBack } from '../../../engine/shard/ownership/owned-shards.ts';
import { StoreMachineByHand } from '../../helpers/store-machine-by-hand.ts';
import type { MessageFault, SentMessage } from '../../simulation/store/faults.ts';
import { SimulatedStore } from '../../simulation/store/store.ts';

/** BEGIN, the shard's row, a task, COMMIT. */
const messages = 4;
const owner = newId();
const shards = [{ id: 1, epoch: 0, lastTransaction: 0, seq: 7, lostUs: 0 }];

/** The store with a lane, whose messages of the transaction meet a fault at one place. */
class Desk {
  readonly machine = new StoreMachineByHand();
  readonly store: SimulatedStore;
  readonly #fault: MessageFault;
  readonly #at: number;
  #seen = -1;

  constructor(at: number, fault: MessageFault) {
    this.#at = at;
    this.#fault = fault;
    this.store = new SimulatedStore({
      machine: this.machine,
      faults: { message: (message) => this.#befall(message), lostByCrash: (most) => most },
    });
    this.store.tables.shard.clear();
    this.store.put('shard', { id: 1, owner, epoch: 0, last_batch: 0, last_seq: 0, lost_us: 0, absent_since: null });
  }

  async lane(): Promise<Lane> {
    return this.drained(Lane.connect({ application_name: 'lane' }, () => undefined, this.connector('a')));
  }

  connector(name: string): ReturnType<SimulatedStore['connector']> {
    const host = { setTimeout: () => ({ clear: () => undefined, unref: () => undefined }) };
    return this.store.connector({ name, host, deliver: (arrive) => this.machine.deliver(arrive) });
  }

  async drained<T>(promise: Promise<T>): Promise<T> {
    const state = { isOver: false };
    const over = promise
      .catch(() => undefined)
      .finally(() => {
        state.isOver = true;
      });
    while (!state.isOver) {
      await this.machine.drain();
      await this.machine.pass(50);
    }
    await over;
    return promise;
  }

  get isStored(): boolean {
    const tasks = this.store.dump()['task'] ?? [];
    const moved = [...this.store.tables.shard.committed()].find(({ id }) => id === 1)?.last_batch;
    expect(moved, 'the shard moves with the rest, or not at all').toBe(tasks.length);
    return tasks.length === 1;
  }

  #befall({ text }: SentMessage): MessageFault | undefined {
    if (text === 'BEGIN' && this.#seen < 0) this.#seen = 0;
    else if (this.#seen >= 0) this.#seen++;
    return this.#seen === this.#at ? this.#fault : undefined;
  }
}

function changes(): ChangeSet {
  const rows = new ChangeSet();
  rows.tasks.push({ id: newId(), runId: newId(), step: 0 });
  return rows;
}

/** @returns what the lane says of a transaction that meets a fault */
async function outcome(desk: Desk): Promise<'stored' | 'refused' | 'unknown'> {
  const lane = await desk.lane();
  try {
    await desk.drained(lane.commit(shards, 1, changes()));
    return 'stored';
  } catch (error) {
    if (error instanceof TransactionRefused) return 'refused';
    if (error instanceof TransactionUnknown) return 'unknown';
    throw error;
  }
}

it.each(Array.from({ length: messages }, (_, at) => at))(
  'a cut at message %i leaves all of a transaction, or nothing',
  async (at) => {
    for (const when of ['before', 'after'] as const)
      for (const losesAnswers of [false, true]) {
        const desk = new Desk(at, { kind: 'cut', when, losesAnswers });
        const said = await outcome(desk);
        const isCommitted = at === messages - 1 && when === 'after';
        expect(desk.isStored).toBe(isCommitted);
        expect(said).toBe(isCommitted && !losesAnswers ? 'stored' : 'unknown');
      }
  },
);

it.each(Array.from({ length: messages }, (_, at) => at))(
  'a refusal of message %i takes all of a transaction back',
  async (at) => {
    const desk = new Desk(at, { kind: 'refuse', sqlstate: '40001' });
    expect(await outcome(desk)).toBe('refused');
    expect(desk.isStored).toBe(false);
  },
);

it('a commit that stands still is waited for by whoever settles what became of it', async () => {
  const desk = new Desk(messages - 1, { kind: 'stall', ms: 8_000 });
  const lane = await desk.lane();
  const { backend } = lane;
  const committing = lane.commit(shards, 1, changes()).catch((error: unknown) => error);
  await desk.machine.drain();
  expect(desk.isStored).toBe(false);
  lane.destroy();
  const other = desk.connector('b').client({});
  await desk.drained(other.connect());
  const [shard] = await desk.drained(settleLostCommit(other, { owner, shards: [{ id: 1, epoch: 0 }], old: backend }));
  expect(shard).toMatchObject({ epoch: 1, lastTransaction: 1 });
  expect(desk.isStored).toBe(true);
  expect(await committing).toBeInstanceOf(TransactionUnknown);
});

it('a transaction whose next message is held up for too long is ended, and its locks are free', async () => {
  const desk = new Desk(messages - 1, { kind: 'delay', ms: 12_000 });
  expect(await outcome(desk)).toBe('unknown');
  expect(desk.isStored).toBe(false);
});

it('a crash loses what staged payloads there were, and of the last commits what did not wait for the disk', async () => {
  const desk = new Desk(-2, { kind: 'delay', ms: 0 });
  const lease = desk.connector('b').client({ options: '-c synchronous_commit=off' });
  await desk.drained(lease.connect());
  desk.store.put('staged_payload', { id: newId(), value: 'x' });
  await desk.drained(lease.query({ ...giveBack, values: [owner, [1]] }));
  expect(desk.store.dump()['shard']?.[0]?.[1]).toBeNull();
  desk.store.crash();
  expect(desk.store.dump()['staged_payload']).toEqual([]);
  expect(desk.store.dump()['shard']?.[0]?.[1]).toBe(owner);
  await expect(desk.drained(desk.connector('c').client({}).connect())).rejects.toThrow(/ECONNREFUSED/);
  desk.store.start();
  await desk.drained(desk.connector('d').client({}).connect());
});
