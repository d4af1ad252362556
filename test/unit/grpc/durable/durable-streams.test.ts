import { expect, it } from 'vitest';
import { createLog } from '../../../../engine/base/log.ts';
import { HatchetError } from '../../../../engine/base/errors.ts';
import { Caller } from '../../../../engine/edge/access/caller.ts';
import { DurableStreams, type OpenDurableStream } from '../../../../engine/grpc/session/durable-streams.ts';
import { markChecked } from '../../../../engine/model/checked.ts';
import type { DurableTaskRequest } from '../../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { DurableRequests, DurableResponses } from '../../../../proto/gen/hatchet/session/v1/session.ts';
import { tenantOf } from '../../../helpers/tenant.ts';

const caller = new Caller({
  tenantId: tenantOf('11111111-1111-4111-8111-111111111111'),
  tokenId: markChecked('22222222-2222-4222-8222-222222222222'),
  role: 'worker',
  expiresAtMs: Infinity,
});

/** The streams of a session, and what they carry out by the keys of memos. */
class World {
  readonly carriedOut: string[] = [];
  readonly told: DurableResponses[] = [];
  readonly opened: { out: Parameters<OpenDurableStream>[0]; settle: (() => void)[]; hasEnded: boolean }[] = [];
  readonly streams = new DurableStreams({
    open: () => {
      if (this.refuses !== undefined) throw this.refuses;
      return (out) => this.#open(out);
    },
    tell: (_weight, tell) => tell(this.told),
    log: createLog('silent'),
  });
  refuses: Error | undefined;

  #open(out: Parameters<OpenDurableStream>[0]): ReturnType<OpenDurableStream> {
    const opened: World['opened'][number] = { out, settle: [], hasEnded: false };
    this.opened.push(opened);
    return {
      handle: ({ message }, settled = () => undefined) => {
        if (message?.$case === 'memo') this.carriedOut.push(message.value.key.toString());
        if (message?.$case === 'memo') opened.settle.push(settled);
        else settled();
      },
      end: () => void (opened.hasEnded = true),
    };
  }
}

const register: DurableTaskRequest = { message: { $case: 'registerWorker', value: { workerId: 'w' } } };

function memo(key: string): DurableTaskRequest {
  const task = { durableTaskExternalId: 'task', invocationCount: 1 };
  return { message: { $case: 'memo', value: { ...task, key: Buffer.from(key), payload: undefined } } };
}

function says(requests: DurableTaskRequest[], options: { ends?: boolean; workerId?: string } = {}): DurableRequests {
  return { workerId: 'w', requests, ends: false, ...options };
}

it('what a worker says without a stream, or behind its end, is passed over and holds up no frame', async () => {
  const world = new World();
  await world.streams.take([says([memo('early')])], caller);
  const taken = world.streams.take([says([register, memo('one')], { ends: true }), says([memo('late')])], caller);
  expect(world.carriedOut).toEqual(['one']);
  expect(world.opened.map(({ hasEnded }) => hasEnded)).toEqual([true]);
  world.opened[0]?.out.write({ $case: 'registerWorker', value: { workerId: 'w' } });
  expect(world.told).toEqual([]);
  // What was taken up before the end is carried out all the same, and the frame is done with it.
  for (const settle of world.opened[0]?.settle ?? []) settle();
  await taken;
});

it('a frame is done once each of its messages is carried out or refused', async () => {
  const world = new World();
  let isDone = false;
  const taken = world.streams.take([says([register, memo('one'), memo('two')])], caller)?.then(() => (isDone = true));
  const [first, second] = world.opened[0]?.settle ?? [];
  second?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  first?.();
  await taken;
});

it('a stream that ends by itself says why behind what it has said, and counts no more; the next one begins anew', async () => {
  const world = new World();
  await world.streams.take([says([register]), says([{ ...register }], { workerId: 'other' })], caller);
  const [stream, other] = world.opened;
  stream?.out.write({ $case: 'registerWorker', value: { workerId: 'w' } });
  other?.out.write({ $case: 'registerWorker', value: { workerId: 'other' } });
  stream?.out.fail(new HatchetError('NOT_OWNER', 'another engine serves this worker'));
  stream?.out.write({ $case: 'registerWorker', value: { workerId: 'w' } });
  stream?.out.fail(new Error('again'));
  await world.streams.take([says([memo('late')])], caller);
  expect(world.carriedOut).toEqual([]);
  await world.streams.take([says([register])], caller);
  world.opened.at(-1)?.out.write({ $case: 'registerWorker', value: { workerId: 'w' } });
  expect(
    world.told.map(({ workerId, responses, status, details }) => [workerId, responses.length, status, details]),
  ).toEqual([
    ['w', 1, 14, 'another engine serves this worker'],
    ['other', 1, undefined, ''],
    ['w', 1, undefined, ''],
  ]);
  world.streams.end();
  expect(world.opened.map(({ hasEnded }) => hasEnded)).toEqual([true, true, true]);
});

it('who may not work is told so, and nothing of it is carried out, whoever has opened the stream', async () => {
  const world = new World();
  await world.streams.take([says([register])], caller);
  world.refuses = new HatchetError('PERMISSION_DENIED', 'the token has the role viewer');
  expect(world.streams.take([says([memo('one')])], caller)).toBeUndefined();
  expect(world.carriedOut).toEqual([]);
  expect(world.told).toEqual([{ workerId: 'w', responses: [], status: 7, details: 'the token has the role viewer' }]);
});
