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
}

type StoreMove = Extract<
  Move,
  { do: 'badNetwork' | 'slowStore' | 'cut' | 'cutCommit' | 'refuse' | 'stallStatement' | 'endBackend' }
>;

/** What goes wrong between engines, store and callers. */
export class Faults implements StoreFaults {
  readonly #scheduler: Scheduler;
  readonly #chances: Chances;
  #armed: Armed[] = [];
  readonly #poisoned = new Set<string>();
  /** Whether any call may have lost its request or its answer. */
  wereCallsLost = false;
  /** Whether Postgres has refused to store something. */
  werePoisonous = false;
  #slowUntilMs = 0;
  #slowMs = 0;
  #badUntilMs = 0;
  #badShare = 0;

  constructor(scheduler: Scheduler, chances: Chances) {
    this.#scheduler = scheduler;
    this.#chances = chances;
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
        this.#slowUntilMs = nowMs + move.forMs;
        this.#slowMs = move.ms;
        return;
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
      case 'endBackend':
        return this.#arm({ isMeant: any, skip: move.skip, times: 1, fault: { kind: 'end', sqlstate: move.sqlstate } });
    }
  }

  poison(text: string, forMs: number): void {
    this.werePoisonous = true;
    this.#poisoned.add(text);
    this.#scheduler.in(forMs, () => this.#poisoned.delete(text));
  }

  end(): void {
    this.#armed = [];
    this.#poisoned.clear();
    this.#slowUntilMs = 0;
    this.#badUntilMs = 0;
  }

  message(message: SentMessage): MessageFault | undefined {
    for (const armed of this.#armed) {
      if (!armed.isMeant(message)) continue;
      if (armed.skip-- > 0) continue;
      if (--armed.times <= 0) this.#armed = this.#armed.filter((each) => each !== armed);
      return armed.fault;
    }
    for (const text of this.#poisoned) {
      const fault = poison(message, text);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  connect(): ConnectFault | undefined {
    return undefined;
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
