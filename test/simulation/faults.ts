import type { Chances } from './chances.ts';
import type { Move } from './moves.ts';
import type { Scheduler } from './scheduler.ts';
import { poison, type ConnectFault, type MessageFault, type SentMessage, type StoreFaults } from './store/faults.ts';

interface Armed {
  isMeant: (message: SentMessage) => boolean;
  /** Messages that it lets pass first. */
  skip: number;
  times: number;
  fault: MessageFault;
  befell?: () => void;
}

type StoreMove = Extract<
  Move,
  {
    do:
      | 'badNetwork'
      | 'slowStore'
      | 'cut'
      | 'cutCommit'
      | 'refuse'
      | 'refuseConnections'
      | 'stallStatement'
      | 'delayStatement'
      | 'endBackend';
  }
>;

/** What goes wrong between engines, store and callers. */
export class Faults implements StoreFaults {
  readonly #scheduler: Scheduler;
  readonly #chances: Chances;
  readonly #order: Chances;
  #armed: Armed[] = [];
  readonly #poisoned = new Set<string>();
  /** Processes without a connection to Postgres, and until when. */
  readonly #isolated = new Map<string, number>();
  /** Whether any call may have lost its request or its answer. */
  wereCallsLost = false;
  /** Whether Postgres has refused to store something. */
  werePoisonous = false;
  #slowUntilMs = 0;
  #slowMs = 0;
  #badUntilMs = 0;
  #refusedUntilMs = 0;
  #refusal: ConnectFault | undefined;
  #badShare = 0;
  #dispatchMs = 0;
  #laneMs = 0;

  /** @param order of rows that are answered in none */
  constructor(scheduler: Scheduler, chances: Chances, order: Chances) {
    this.#scheduler = scheduler;
    this.#chances = chances;
    this.#order = order;
  }

  /** Of calls, the share that loses its request, and the one that loses its answer. */
  get lostCalls(): number {
    return this.#scheduler.nowMs < this.#badUntilMs ? this.#badShare : 0;
  }

  storeLatencyMs(): number {
    const slow = this.#scheduler.nowMs < this.#slowUntilMs ? this.#slowMs : 0;
    return this.#chances.between(0.1, 0.6) + slow * this.#chances.number();
  }

  befall(move: StoreMove): void {
    const { nowMs } = this.#scheduler;
    const any = (): boolean => true;
    switch (move.do) {
      case 'badNetwork':
        this.wereCallsLost = true;
        this.#badUntilMs = nowMs + move.forMs;
        this.#badShare = move.share;
        return;
      case 'slowStore':
        return this.slow(move.forMs, move.ms);
      case 'cut':
        return this.#arm({
          isMeant: move.of === 'lane' ? isOfLane : any,
          skip: move.skip,
          times: move.times,
          fault: { kind: 'cut', when: move.when, losesAnswers: move.losesAnswers },
        });
      case 'cutCommit':
        return this.#arm({
          isMeant: (message) => isOfLane(message) && message.text === 'COMMIT',
          skip: 0,
          times: 1,
          fault: { kind: 'cut', when: move.when, losesAnswers: true },
        });
      case 'refuse':
        return this.#arm({
          isMeant: (message) => isOfLane(message) && message.isInTransaction && message.text !== 'COMMIT',
          skip: move.skip,
          times: move.times,
          fault: { kind: 'refuse', sqlstate: move.sqlstate },
        });
      case 'stallStatement':
        return this.#arm({ isMeant: isOfLane, skip: move.skip, times: 1, fault: { kind: 'stall', ms: move.ms } });
      case 'delayStatement':
        return this.#arm({
          isMeant: move.of === 'lane' ? isOfLane : any,
          skip: move.skip,
          times: 1,
          fault: { kind: 'delay', ms: move.ms },
        });
      case 'refuseConnections':
        this.#refusedUntilMs = nowMs + move.forMs;
        this.#refusal = move.sqlstate === '' ? { kind: 'refuse' } : { kind: 'refuse', sqlstate: move.sqlstate };
        return;
      case 'endBackend':
        return this.#arm({ isMeant: any, skip: move.skip, times: 1, fault: { kind: 'end', sqlstate: move.sqlstate } });
    }
  }

  /** What is said on the lane, and reads of payloads for starts, are under way for so much longer. */
  slowConnections({ laneMs, dispatchMs }: { laneMs: number; dispatchMs: number }): void {
    this.#laneMs = laneMs;
    this.#dispatchMs = dispatchMs;
  }

  get isDispatchSlow(): boolean {
    return this.#dispatchMs > 0;
  }

  slow(forMs: number, ms: number): void {
    this.#slowUntilMs = this.#scheduler.nowMs + forMs;
    this.#slowMs = ms;
  }

  /** From its next COMMIT on a process has no connection to Postgres. */
  isolate(process: string, { when, forMs }: { when: 'before' | 'after'; forMs: number }): void {
    this.#arm({
      isMeant: (message) => message.process === process && isOfLane(message) && message.text === 'COMMIT',
      skip: 0,
      times: 1,
      fault: { kind: 'cut', when, losesAnswers: true },
      befell: () => this.#isolated.set(process, this.#scheduler.nowMs + forMs),
    });
  }

  #isIsolated(process: string): boolean {
    return this.#scheduler.nowMs < (this.#isolated.get(process) ?? 0);
  }

  /** The next transactions of the lane. */
  refuseNext(times: number): void {
    this.#arm({
      isMeant: (message) => isOfLane(message) && message.isInTransaction && message.text !== 'COMMIT',
      skip: this.#chances.whole(0, 6),
      times,
      fault: { kind: 'refuse', sqlstate: '40001' },
    });
  }

  poison(text: string, forMs: number): void {
    this.werePoisonous = true;
    this.#poisoned.add(text);
    this.#scheduler.in(forMs, () => this.#poisoned.delete(text));
  }

  end(): void {
    this.#armed = [];
    this.#isolated.clear();
    this.#poisoned.clear();
    this.#slowUntilMs = 0;
    this.#dispatchMs = 0;
    this.#laneMs = 0;
    this.#badUntilMs = 0;
    this.#refusedUntilMs = 0;
  }

  message(message: SentMessage): MessageFault | undefined {
    if (this.#isIsolated(message.process)) return { kind: 'cut', when: 'before', losesAnswers: true };
    if (this.#dispatchMs > 0 && message.applicationName.startsWith('hatchet dispatch'))
      return { kind: 'delay', ms: this.#dispatchMs };
    if (this.#laneMs > 0 && isOfLane(message)) return { kind: 'delay', ms: this.#laneMs };
    for (const armed of this.#armed) {
      if (!armed.isMeant(message)) continue;
      if (armed.skip-- > 0) continue;
      if (--armed.times <= 0) this.#armed = this.#armed.filter((each) => each !== armed);
      armed.befell?.();
      return armed.fault;
    }
    for (const text of this.#poisoned) {
      const fault = poison(message, text);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  connect(process: string): ConnectFault | undefined {
    if (this.#isIsolated(process)) return { kind: 'refuse' };
    return this.#scheduler.nowMs < this.#refusedUntilMs ? this.#refusal : undefined;
  }

  inAnyOrder<Row>(rows: readonly Row[]): Row[] {
    const left = [...rows];
    return rows.flatMap(() => left.splice(this.#order.whole(0, left.length - 1), 1));
  }

  lostByCrash(most: number): number {
    return this.#chances.whole(0, most);
  }

  #arm(armed: Armed): void {
    this.#armed.push(armed);
  }
}

function isOfLane({ applicationName }: SentMessage): boolean {
  return applicationName.startsWith('hatchet lane');
}
