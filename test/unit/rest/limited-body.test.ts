import { afterEach, expect, it, vi } from 'vitest';
import { BodyRoom } from '../../../engine/rest/webhooks/body-room.ts';
import { limitedBody } from '../../../engine/rest/webhooks/limited-body.ts';

const mebibyte = 1024 * 1024;
const limit = 4 * mebibyte;

function requestOf(body: string | Buffer | ReadableStream): Request {
  return new Request('http://localhost/', {
    method: 'POST',
    body,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
}

/** A body that sends one part and then nothing, until it is cancelled. */
function dawdling(part: Uint8Array, cancel: () => void): Request {
  return requestOf(new ReadableStream<Uint8Array>({ start: (out) => out.enqueue(part), cancel }));
}

/** Waits until what was asked for has been read, so far as it came. */
const read = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => void vi.useRealTimers());

it('a body is read up to the limit, and none beyond it', async () => {
  const room = new BodyRoom();
  expect((await limitedBody(requestOf(Buffer.alloc(limit)), { limit, room }))?.length).toBe(limit);
  expect(await limitedBody(requestOf(Buffer.alloc(limit + 1)), { limit, room })).toBeUndefined();
});

it('bodies that are being read hold 128 MiB together; what they held is given back', async () => {
  const room = new BodyRoom();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const cancel = vi.fn<() => void>();
  const reading = Array.from({ length: 32 }, async () =>
    limitedBody(dawdling(new Uint8Array(limit), cancel), { limit, room }),
  );
  await read();
  await expect(limitedBody(requestOf('{}'), { limit, room })).rejects.toMatchObject({ code: 'BUSY' });
  const outcomes = Promise.allSettled(reading);
  await vi.advanceTimersByTimeAsync(15_000);
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_ARGUMENT' } });
  expect(cancel).toHaveBeenCalledTimes(32);
  expect(String(await limitedBody(requestOf('{}'), { limit, room }))).toBe('{}');
});
