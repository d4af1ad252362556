import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import type { DispatcherClient, GetVersionResponse } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { isTransient } from './call-error.ts';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';

/** In the initial metadata of GetVersion and of durable streams, and in a session's welcome: what the engine has beyond Hatchet's contract, parted by commas. */
const header = 'hatchet-ts-offers';

/**
 * What an engine may offer beyond Hatchet's contract. A Hatchet cluster offers none of it; so does an engine that does not
 * say so, whatever it is. All that the SDK uses beyond the contract is here, and is asked for here.
 */
export interface EngineOffers {
  /** A trigger that carries the ids of its runs (`hatchet-run-id`) can be made again: it starts nothing twice. */
  readonly runIds: boolean;
  /** A chunk of a stream is known again by its number: one that is sent twice is kept once. */
  readonly streamNumbers: boolean;
  /** Requests of a durable task are taken up in the order in which they come; its log has memos in the order of results; a probe takes no place in a log that lacks it. */
  readonly pipelinedRequests: boolean;
  /** A durable task that waits can leave its worker in whichever attempt, and what wakes it is never lost. A Hatchet cluster lets go of first attempts alone, though it says otherwise. */
  readonly evictions: boolean;
  /** A trigger of a workflow that nobody knows is refused, and so is what a child cannot be started for. */
  readonly unknownWorkflows: boolean;
  /** Log lines are taken many in one call (MonitorService.PutLogs). */
  readonly logBatches: boolean;
  /** Definitions may have what `sdk/definition/lost-on-cluster.ts` lists, and crons a time zone and a catch-up. */
  readonly definitions: boolean;
  /** A durable task can start again with another input and an empty log (MonitorService.ContinueAsNew). */
  readonly continueAsNew: boolean;
}

export const contractOnly: EngineOffers = {
  runIds: false,
  streamNumbers: false,
  pipelinedRequests: false,
  evictions: false,
  unknownWorkflows: false,
  logBatches: false,
  definitions: false,
  continueAsNew: false,
};

const names: Record<string, keyof EngineOffers> = {
  'run-ids': 'runIds',
  'stream-numbers': 'streamNumbers',
  'pipelined-requests': 'pipelinedRequests',
  evictions: 'evictions',
  'unknown-workflows': 'unknownWorkflows',
  'log-batches': 'logBatches',
  definitions: 'definitions',
  'continue-as-new': 'continueAsNew',
};

/** What the initial metadata of an answer says. */
export function offersOf(metadata: Metadata): EngineOffers {
  return offersIn(metadata.get(header).join(','));
}

/** What an engine says; words that are not known are passed over. */
export function offersIn(words: string): EngineOffers {
  const offers: Record<keyof EngineOffers, boolean> = { ...contractOnly };
  for (const word of words.split(',')) {
    const name = names[word.trim()];
    if (name !== undefined) offers[name] = true;
  }
  return offers;
}

const backoff: Backoff = { firstMs: 100, longestMs: 3_000 };

/** One question's time. */
const answerMs = 15_000;

/** Of a connection, what the question needs. */
interface Asker {
  readonly dispatcher: Pick<DispatcherClient, 'getVersion'>;
  metadata(): Metadata;
}

interface Word {
  readonly offers: EngineOffers;
  readonly askedAt: number;
}

/**
 * The engine's word, asked for once a connection, and only where somebody needs it: a run that goes well never does. Asked for
 * again by those who have seen the connection fail since, as the engine behind it may be another one.
 */
export class OffersQuestion {
  readonly #connection: Asker;
  #word: Word | undefined;
  #asking: { readonly word: Promise<Word>; readonly askedAt: number } | undefined;

  constructor(connection: Asker) {
    this.#connection = connection;
  }

  /** The last word; undefined before the first. */
  get latest(): EngineOffers | undefined {
    return this.#word?.offers;
  }

  /**
   * @param need since: by performance.now(), a word from before it does not count; patienceMs: for how long an engine that is
   * away is asked again
   * @throws ServiceError where the engine stays away
   */
  async ask(need: { since?: number; patienceMs?: number; signal?: AbortSignal } = {}): Promise<EngineOffers> {
    const { since = 0, patienceMs = 0, signal } = need;
    const giveUpAt = performance.now() + patienceMs;
    for (let tries = 0; ; tries += 1) {
      if (this.#word !== undefined && this.#word.askedAt >= since) return this.#word.offers;
      try {
        return (await this.#askOnce(since)).offers;
      } catch (error) {
        const wait = backoffMs(backoff, tries, Math.random());
        if (signal?.aborted === true || performance.now() + wait > giveUpAt) throw error;
        await pause(wait, signal);
      }
    }
  }

  /** One question for all who need the answer at the same time. */
  async #askOnce(since: number): Promise<Word> {
    if (this.#asking === undefined || this.#asking.askedAt < since) {
      const askedAt = performance.now();
      const asking = {
        askedAt,
        word: this.#call(askedAt).finally(() => this.#asking === asking && (this.#asking = undefined)),
      };
      this.#asking = asking;
    }
    const word = await this.#asking.word;
    if (this.#word === undefined || this.#word.askedAt < word.askedAt) this.#word = word;
    return word;
  }

  async #call(askedAt: number): Promise<Word> {
    const { dispatcher } = this.#connection;
    return await new Promise<Word>((resolve, reject) => {
      let offers = contractOnly;
      const call = dispatcher.getVersion(
        {},
        this.#connection.metadata(),
        { deadline: Date.now() + answerMs },
        (error: ServiceError | null, _answer: GetVersionResponse) => {
          // An engine that does not know the question has nothing to offer; one that is away may have.
          if (error !== null && error.code !== status.UNIMPLEMENTED && isTransient(error)) reject(error);
          else resolve({ offers, askedAt });
        },
      );
      call.on('metadata', (metadata: Metadata) => (offers = offersOf(metadata)));
    });
  }
}
