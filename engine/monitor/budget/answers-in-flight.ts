import { getHeapStatistics } from 'node:v8';
import { HatchetError } from '../../base/errors.ts';
import { ByteBudget, type Reservation } from './byte-budget.ts';

const mebibyte = 1024 * 1024;

/**
 * Payloads of all answers that are being read or written, in this process: its memory is one, whatever engines run in it. An
 * eighth of the heap, at most 256 MiB: a payload is a string of one or two bytes a character there, and beside the heap, for a
 * while, the row as Postgres sent it and the bytes that go out.
 */
export const answersInFlight = new ByteBudget(
  Math.min(256 * mebibyte, Math.max(32 * mebibyte, Math.floor(getHeapStatistics().heap_size_limit / 8))),
);

/** What to do about a run whose results are more than one answer holds. */
export const readTasksAlone = 'Read its tasks one by one: GET /api/v1/stable/tasks/<task id>.';

/** Most reads are small: they are done with this, and only those that turn out larger ask for more. */
const firstTry = mebibyte;

/** An answer, and the room that it takes until it is written out. Whoever gets it releases that. */
export class Held<T> {
  readonly value: T;
  /** Bytes of payloads that did not fit. */
  readonly leftOut: number;
  readonly reservation: Reservation;

  constructor(value: T, leftOut: number, reservation: Reservation) {
    this.value = value;
    this.leftOut = leftOut;
    this.reservation = reservation;
  }

  /** The same room, for what was made of the value. */
  map<U>(change: (value: T) => U): Held<U> {
    try {
      return new Held(change(this.value), this.leftOut, this.reservation);
    } catch (error) {
      this.reservation.release();
      throw error;
    }
  }

  /** What else an answer takes; where that fails, there is none. */
  async until<U>(work: Promise<U>): Promise<U> {
    try {
      return await work;
    } catch (error) {
      this.reservation.release();
      throw error;
    }
  }

  /**
   * For answers whose form has no mark for what is missing: an output that is not there would be taken for one that is empty.
   * @throws HatchetError PAYLOAD_TOO_LARGE
   */
  whole(what: string, remedy: string): Held<T> {
    if (this.leftOut === 0) return this;
    this.reservation.release();
    throw new HatchetError('PAYLOAD_TOO_LARGE', `${what} has ${this.leftOut} bytes more than fit into one answer`, {
      details: { bytes: this.leftOut },
      remedy,
    });
  }
}

export interface SizedRead<T> {
  value: T;
  /** Bytes of payloads that it holds, and that it left out for want of room. */
  brought: number;
  leftOut: number;
}

/**
 * Reads with what an answer of this kind may bring. It waits for room before it reads, never between two reads: who waits
 * holds no connection.
 * @param read within so many bytes; may ask the pool
 */
export async function readWithin<T>(
  most: number,
  read: (bytes: number) => Promise<SizedRead<T>>,
  budget = answersInFlight,
): Promise<Held<T>> {
  const first = Math.min(firstTry, most);
  const small = await tryWithin(first, read, budget);
  if (small.leftOut === 0 || first === most) return small;
  const { bytes } = small.reservation;
  small.reservation.release();
  return await tryWithin(Math.min(most, bytes + small.leftOut), read, budget);
}

async function tryWithin<T>(
  bytes: number,
  read: (bytes: number) => Promise<SizedRead<T>>,
  budget: ByteBudget,
): Promise<Held<T>> {
  const reservation = await budget.reserve(bytes);
  try {
    const { value, brought, leftOut } = await read(bytes);
    reservation.shrink(brought);
    return new Held(value, leftOut, reservation);
  } catch (error) {
    reservation.release();
    throw error;
  }
}

/** Time that a client has to read an answer, before the engine hangs up: it holds others up. 30 s, and a second for each 256 KB. */
export function writeDeadlineMs(bytes: number): number {
  return 30_000 + bytes / 256;
}

/** The same for a message of a stream. Its reader may be a person who pages through what comes. */
export function streamDeadlineMs(bytes: number): number {
  return 240_000 + writeDeadlineMs(bytes);
}
