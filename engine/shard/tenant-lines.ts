import { groupBy } from '../model/group-by.ts';
import { CommandOrder } from './command-order.ts';
import type { Job } from './job.ts';
import { transactionChars } from './job-payloads.ts';

/** One transaction carries at most so many commands. More cost more latency than they save (500 in flight beat 20,000). */
const mostCommands = 500;
/** About how many rows the commands of one transaction write together, so that planning and storing them keeps the event loop for some 20 ms. */
const mostRows = 500;
/** A command that writes and brings no more than this is light: it finds room in every transaction, and does not wait for the heavy ones before it. */
const lightRows = 8;
const lightChars = 1024;
/** Rows that a tenant may have of a transaction before the next tenant's turn. */
const rowsATurn = 50;
/**
 * Turns that a line has in one transaction while others are there. A tenant's start waits for the transaction that is under
 * way and for its own: with 500 rows of a neighbour's in each that is ten times what it is alone, with 50 two to three times. A tenant
 * that is alone has all the room, since fewer transactions cost less.
 */
const turnsBesideOthers = 1;
/** How far light commands are looked for behind heavy ones that found no room. */
const lookAhead = 200;
/** Taken places at the head of a line that are kept before it is moved. */
const compactAt = 1024;

/** What a transaction has room for still. Its first heavy command finds room however heavy it is: nothing else could make room for it. */
interface Room {
  commands: number;
  rows: number;
  chars: number;
  hasHeavy: boolean;
}

/** Commands of one tenant, or of the engine's to one shard, in the order in which they came. */
class TenantLine {
  #jobs: Job[] = [];
  #head = 0;
  /** Rows that it may have now. What a heavy command needs beyond a turn's share gathers over several turns. */
  credit = 0;

  get length(): number {
    return this.#jobs.length - this.#head;
  }

  get first(): Job | undefined {
    return this.#jobs[this.#head];
  }

  push(job: Job): void {
    this.#jobs.push(job);
  }

  /** At the head again: nearly always where they were taken from. Only where the line has been moved since is it copied. */
  putBack(jobs: readonly Job[]): void {
    if (jobs.length > this.#head) return this.#replace([...jobs, ...this.#jobs.slice(this.#head)]);
    this.#head -= jobs.length;
    for (const [n, job] of jobs.entries()) this.#jobs[this.#head + n] = job;
  }

  some(test: (job: Job) => boolean): boolean {
    for (let at = this.#head; at < this.#jobs.length; at++) {
      const job = this.#jobs[at];
      if (job !== undefined && test(job)) return true;
    }
    return false;
  }

  /** @returns those that are taken out */
  takeOut(test: (job: Job) => boolean): Job[] {
    const out: Job[] = [];
    const left: Job[] = [];
    for (const job of this.#jobs.slice(this.#head)) (test(job) ? out : left).push(job);
    if (out.length > 0) this.#replace(left);
    return out;
  }

  /**
   * Takes what its credit and the room allow, in the order that commands keep.
   * @returns whether a heavy one waits for no more than credit
   */
  take(taken: Job[], room: Room, isReady: (job: Job) => boolean): boolean {
    const passed = new CommandOrder();
    const left: Job[] = [];
    let gathers = false;
    let at = this.#head;
    for (; at < this.#jobs.length && room.commands > 0 && left.length < lookAhead; at++) {
      const job = this.#jobs[at];
      if (job === undefined) break;
      const isNext = !passed.isBehind(job) && isReady(job);
      const { rows, payloads } = job;
      const isLight = rows <= lightRows && payloads.weight <= lightChars;
      const hasRoom = isLight || !room.hasHeavy || (rows <= room.rows && payloads.weight <= room.chars);
      if (isNext && hasRoom && this.credit >= Math.min(rows, mostRows)) {
        taken.push(job);
        this.credit -= rows;
        room.commands--;
        room.rows -= rows;
        room.chars -= payloads.weight;
        room.hasHeavy ||= !isLight;
        continue;
      }
      if (isNext && hasRoom) gathers = true;
      passed.hold(job);
      left.push(job);
      if (this.credit <= 0) {
        at++;
        break;
      }
    }
    this.#close(left, at);
    return gathers;
  }

  /** Those that were passed over stand at the head again. */
  #close(left: readonly Job[], at: number): void {
    this.#head = at - left.length;
    for (const [n, job] of left.entries()) this.#jobs[this.#head + n] = job;
    if (this.#head === this.#jobs.length) this.#replace([]);
    else if (this.#head > compactAt && this.#head * 2 > this.#jobs.length) this.#replace(this.#jobs.slice(this.#head));
  }

  #replace(jobs: Job[]): void {
    this.#jobs = jobs;
    this.#head = 0;
  }
}

/**
 * The commands that wait for a transaction, in two lines for each tenant. Transactions are filled from the lines in turn, so that
 * whoever sends much waits for its own commands alone. What the engine itself sends, as time brings it, has a line for each
 * shard, and goes first.
 */
export class TenantLines {
  /** By tenant, next one first. */
  readonly #lines = new Map<string, TenantLine>();
  /** By shard, next one first. */
  readonly #own = new Map<string, TenantLine>();
  #size = 0;
  #rows = 0;

  get size(): number {
    return this.#size;
  }

  /** About how many rows they will write. */
  get rows(): number {
    return this.#rows;
  }

  push(job: Job): void {
    this.#lineOf(job).push(job);
    this.#count(1, [job]);
  }

  /** At the heads of their lines again, in this order. */
  putBack(jobs: readonly Job[]): void {
    for (const own of groupBy(jobs, keyOf).values()) if (own[0] !== undefined) this.#lineOf(own[0]).putBack(own);
    this.#count(1, jobs);
  }

  some(test: (job: Job) => boolean): boolean {
    for (const lines of [this.#own, this.#lines]) for (const line of lines.values()) if (line.some(test)) return true;
    return false;
  }

  /** @returns those that are taken out, wherever they stand */
  takeOut(test: (job: Job) => boolean): Job[] {
    const out: Job[] = [];
    for (const lines of [this.#own, this.#lines])
      for (const [key, line] of lines) {
        out.push(...line.takeOut(test));
        if (line.length === 0) lines.delete(key);
      }
    this.#count(-1, out);
    return out;
  }

  /** Whether one of those that have waited longest has waited since then. */
  waitsSince(atMs: number): boolean {
    for (const lines of [this.#own, this.#lines])
      for (const { first } of lines.values()) if (first !== undefined && first.queuedAtMs <= atMs) return true;
    return false;
  }

  /** The commands of the next transaction. Those that are not ready stay. @param isShared several tenants are there */
  take(isReady: (job: Job) => boolean, isShared = false): Job[] {
    // Each has room of its own: time brings no more than so much at once, and neither may keep the other waiting.
    const taken = [...fill(this.#own, isReady), ...fill(this.#lines, isReady, isShared ? turnsBesideOthers : Infinity)];
    this.#count(-1, taken);
    return taken;
  }

  #count(sign: 1 | -1, jobs: readonly Job[]): void {
    this.#size += sign * jobs.length;
    for (const { rows } of jobs) this.#rows += sign * rows;
  }

  #lineOf(job: Job): TenantLine {
    const lines = job.tenantId === undefined ? this.#own : this.#lines;
    const key = keyOf(job);
    const known = lines.get(key);
    if (known !== undefined) return known;
    const line = new TenantLine();
    lines.set(key, line);
    return line;
  }
}

/** Takes from the lines in turn until there is no room, all had their turns, or nothing is ready. */
function fill(lines: Map<string, TenantLine>, isReady: (job: Job) => boolean, turns = Infinity): Job[] {
  const taken: Job[] = [];
  const most = turns * lines.size;
  const room: Room = { commands: mostCommands, rows: mostRows, chars: transactionChars, hasHeavy: false };
  let visits = 0;
  for (let idle = 0; idle < lines.size && room.commands > 0; visits++) {
    const [next] = lines;
    // As long as nothing was taken, what waits for no more than credit gathers it.
    if (next === undefined || (visits >= most && taken.length > 0)) break;
    const [key, line] = next;
    const before = taken.length;
    line.credit = Math.min(line.credit + rowsATurn, mostRows);
    const gathers = line.take(taken, room, isReady);
    lines.delete(key);
    if (line.length > 0) lines.set(key, line);
    idle = taken.length > before || gathers ? 0 : idle + 1;
  }
  return taken;
}

/**
 * What a tenant brings in bulk has a line of its own: what its workers report, and what it asks for one by one, does not wait for
 * a thousand parts of its calls. Commands that name a task keep their order, and so stay in one line.
 */
function keyOf({ tenantId, shard, rows, command }: Job): string {
  if (tenantId === undefined) return `shard ${shard}`;
  const isReport = 'taskId' in command || command.kind === 'batchReport';
  return rows > lightRows && !isReport ? `${tenantId} bulk` : tenantId;
}
