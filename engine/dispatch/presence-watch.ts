import type { Logger } from '../base/log.ts';
import type { OwnerReports } from './owner-reports.ts';
import type { Presence, WorkerSession } from './worker-session.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface LostWorker {
  tenantId: TenantId;
  workerId: string;
  /** It is not expected back: its id is not known any more. */
  forget: boolean;
  /** Its stream is open: it is told that its attempts are over before they go elsewhere. */
  connected: boolean;
  /** How it died, where that is more than a silence. */
  processEnd: string | undefined;
}

/** What the watch asks of the rest of the engine. */
export interface PresencePorts {
  presence(worker: { tenantId: TenantId; workerId: string; presence: Presence }): Promise<unknown>;
  /** Its tasks go to others. */
  workerLost(worker: LostWorker): Promise<unknown>;
  /** A clock that stands still while the engine does. */
  nowMs(): number;
  /** Whether what workers said while the engine stood still may be unread: nobody is judged meanwhile. */
  isCatchingUp(): boolean;
}

/** After so long without a sign a worker is forgotten: one that comes back registers again, as after a start of the engine. */
const forgetMs = 86_400_000;
/** Grace of a stream whose first heartbeat has not come: SDKs start them late. */
const firstBeatMs = 30_000;
/** Heartbeats come every 4 s; one that is 5 s late makes the worker unfit for new tasks. */
const lateMs = 9_000;

/** What the planner is to know of a worker. */
function presenceOf(session: WorkerSession, nowMs: number): Presence {
  if (session.link === undefined) return 'away';
  if (session.lost || session.ended) return 'unfit';
  return nowMs - session.seenAtMs <= (session.hasBeaten ? lateMs : firstBeatMs) ? 'fit' : 'unfit';
}

/** Whether a worker is lost: silent, without a heartbeat, for longer than the limit. */
function isGone({ link, hasBeaten, seenAtMs }: WorkerSession, nowMs: number, limitMs: number): boolean {
  const waitsForFirstBeat = link !== undefined && !hasBeaten;
  return nowMs - seenAtMs > (waitsForFirstBeat ? Math.max(firstBeatMs, limitMs) : limitMs);
}

/** Tells the owner who is there and who has stopped to answer: by heartbeats, streams, and what parents say of processes. */
export class PresenceWatch {
  readonly #ports: PresencePorts;
  readonly #reports: OwnerReports;
  readonly #log: Logger;
  readonly #workerTimeoutMs: number;
  readonly #onForget: (session: WorkerSession) => void;

  /** @param options.forget the owner knows the worker no more */
  constructor(options: {
    ports: PresencePorts;
    reports: OwnerReports;
    log: Logger;
    workerTimeoutMs: number;
    forget: (session: WorkerSession) => void;
  }) {
    this.#ports = options.ports;
    this.#reports = options.reports;
    this.#log = options.log;
    this.#workerTimeoutMs = options.workerTimeoutMs;
    this.#onForget = options.forget;
  }

  /** Says of a worker what has changed since the last look: who it is for the owner, or that its tasks go to others. */
  check(session: WorkerSession): void {
    const nowMs = this.#ports.nowMs();
    const { tenantId, workerId } = session;
    const { announced, hasDied } = session;
    const presence = presenceOf(session, nowMs);
    if (presence !== announced) {
      session.announced = presence;
      this.#reports.tell(this.#ports.presence({ tenantId, workerId, presence }), () => {
        if (session.announced === presence) session.announced = announced;
      });
    }
    if (!hasDied && (this.#ports.isCatchingUp() || !isGone(session, nowMs, this.#workerTimeoutMs))) return;
    // Whoever may still read its stream is told first that its attempts are over, and forgotten at a later look.
    const mayBeTold = session.link !== undefined && !session.lost;
    const forget = hasDied || (!mayBeTold && (session.ended || nowMs - session.seenAtMs > forgetMs));
    if (session.lost && (!forget || session.forgetting)) return;
    if (!session.lost)
      this.#log.warn({ workerId, processEnd: session.processEnd }, 'a worker was lost; its tasks go to others');
    const connected = session.link !== undefined;
    session.lost = true;
    session.forgetting = forget;
    session.untold.clear();
    const told = this.#ports
      .workerLost({ tenantId, workerId, forget, connected, processEnd: hasDied ? session.processEnd : undefined })
      .then(() => {
        if (forget) this.#onForget(session);
      });
    this.#reports.tell(told, () => {
      session.lost = session.forgetting = false;
    });
  }
}
