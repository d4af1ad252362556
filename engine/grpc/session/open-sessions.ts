import { processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { ProgramSession } from './program-session.ts';

/** A program that was cut off is back by then, or what it was sent counts as lost. */
const keptMs = 15_000;
/** Characters that sessions without a stream may hold together, of all tenants: what is over it costs the oldest of them. */
const mostKeptOfAll = 64 * 1024 * 1024;

/** Sessions by their tenant and id: those that have a stream, and for a while those whose stream was cut. */
export class OpenSessions {
  readonly #sessions = new Map<string, ProgramSession>();
  /** Without a stream, the longest first. */
  readonly #cut = new Map<ProgramSession, HostTimer>();
  readonly #host: Host;
  readonly #mostKept: number;

  constructor({ host = processHost, mostKept = mostKeptOfAll }: { host?: Host; mostKept?: number } = {}) {
    this.#host = host;
    this.#mostKept = mostKept;
  }

  /** @param id of the end that the program knows: one that it has never heard of cannot go on */
  find(key: string, id: string, make: () => ProgramSession): ProgramSession {
    const known = this.#sessions.get(key);
    if (known?.id === id) {
      this.#cut.get(known)?.clear();
      this.#cut.delete(known);
      return known;
    }
    known?.end();
    const session = make();
    this.#sessions.set(key, session);
    return session;
  }

  /** Its stream was cut: it is kept for a while. */
  keep(session: ProgramSession): void {
    const timer = this.#host.setTimeout(() => session.end(), keptMs);
    timer.unref();
    this.#cut.set(session, timer);
    let weight = 0;
    for (const each of this.#cut.keys()) weight += each.weight;
    for (const each of this.#cut.keys()) {
      if (weight <= this.#mostKept) break;
      weight -= each.weight;
      each.end();
    }
  }

  /** It is over. */
  forget(key: string, session: ProgramSession): void {
    this.#cut.get(session)?.clear();
    this.#cut.delete(session);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
  }
}
