import { HatchetError } from '../../base/errors.ts';
import type { BodyRoom } from './body-room.ts';

/** A sender on a network worth the name sends 4 MiB in less; one that dawdles holds what others need. */
const longestMs = 15_000;

/**
 * A body as it comes in, counted while it is read; undefined, and the rest unread, once it is larger than the limit.
 * @throws HatchetError BUSY where too much of others is being read, INVALID_ARGUMENT for one that does not come
 */
export async function limitedBody(
  request: Request,
  { limit, room }: { limit: number; room: BodyRoom },
): Promise<Buffer | undefined> {
  if (request.body === null) return Buffer.alloc(0);
  const reader = request.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => undefined); // it may have broken off meanwhile
  }, longestMs);
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      size += read.value.length;
      room.take(read.value.length);
      if (size > limit) {
        await reader.cancel();
        return undefined;
      }
      parts.push(read.value);
    }
    if (isLate)
      throw new HatchetError('INVALID_ARGUMENT', `the body did not come within ${longestMs / 1000} s`, {
        remedy: 'Send it at once.',
      });
    return Buffer.concat(parts, size);
  } finally {
    clearTimeout(timer);
    room.give(size);
  }
}
