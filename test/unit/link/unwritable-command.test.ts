import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineLink } from '../../../link/engine-link.ts';
import { serviceError } from '../../../link/service-error.ts';
import { ConnectRequest, ConnectResponse } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { chunk, completed, patienceMs } from './commands-to-send.ts';

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'Date', 'performance'],
    }),
);
afterEach(() => void vi.useRealTimers());

/** A stream to an engine that takes what can be written, and breaks as gRPC does at what cannot. */
class WritingStream extends EventEmitter {
  #isBroken = false;

  write(frame: ConnectRequest): void {
    try {
      ConnectRequest.encode(frame);
    } catch (error) {
      this.#isBroken = true;
      this.emit(
        'error',
        serviceError({ code: status.INTERNAL, details: `Request message serialization failure: ${String(error)}` }),
      );
    }
    if (this.#isBroken) return;
    const welcome = { engineId: 'engine', mostCommands: 1_000, mostBytes: 1_000_000 };
    const told = frame.hello === undefined ? { number: frame.number, done: [frame.number] } : { welcome };
    setImmediate(() => this.emit('data', ConnectResponse.fromPartial(told)));
  }

  cancel(): void {
    this.#isBroken = true;
  }
}

describe('a command that cannot be written', () => {
  it('is refused alone: those of its frame and after it are carried out', async () => {
    const link = new EngineLink({
      connect: () => new WritingStream(),
      welcomed: () => undefined,
      whyHopeless: async () => undefined,
    });
    const asked = Promise.allSettled([
      link.streamed(chunk('a', 0), patienceMs),
      link.streamed({ ...chunk('a', 1), createdAt: new Date(Number.NaN) }, patienceMs),
      link.streamed(chunk('a', 2), patienceMs),
      completed(link, 'b'),
    ]);
    await vi.advanceTimersByTimeAsync(5_000);
    const ends = await asked;
    expect(ends.map(({ status: end }) => end)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(ends[1]).toMatchObject({
      reason: { code: status.INVALID_ARGUMENT, details: expect.stringContaining('NaN') },
    });
    const later = completed(link, 'c');
    await vi.advanceTimersByTimeAsync(1_000);
    await later;
    link.close(undefined);
  });
});
