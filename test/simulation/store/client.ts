import type { ClientConfig } from 'pg';
import type { HostTimer } from '../../../engine/base/host.ts';
import type { SqlClient, SqlQuery, SqlResult } from '../../../engine/postgres/sql-client.ts';
import type { TransactionAnswer, TransactionStatement } from '../../../engine/postgres/transaction-query.ts';
import type { Answer } from './statement.ts';
import type { Message, Reply } from './wire.ts';
import type { SimulatedProcess } from './process.ts';

/** What a client has of the server that it connects to. */
export interface Line {
  send(message: Message): void;
  /** Says that it goes, or is just gone: what it has sent arrives. */
  leave(): void;
}

export interface LineEnds {
  opened(line: Line): void;
  refused(error: Error): void;
  answered(replies: readonly Reply[]): void;
  closed(): void;
}

/** Sent, or to be sent once those before it are answered. */
interface Pending {
  /** With one Sync, behind the last. */
  messages: readonly Message[];
  answers: Answer[];
  resolve(last: Answer): void;
  reject(error: Error): void;
}

/** As the driver's client, in what the engine sees of it. */
export class SimulatedClient implements SqlClient {
  readonly #config: ClientConfig;
  readonly #process: SimulatedProcess;
  readonly #dial: (ends: LineEnds) => void;
  readonly #listeners: ((error: Error) => void)[] = [];
  #line: Line | undefined;
  #sent: Pending[] = [];
  #unsent: Pending[] = [];
  #isEnding = false;
  #isBroken = false;
  #isConnecting = false;
  #drained: (() => void) | undefined;

  constructor(options: { config: ClientConfig; process: SimulatedProcess; dial: (ends: LineEnds) => void }) {
    this.#config = options.config;
    this.#process = options.process;
    this.#dial = options.dial;
  }

  get isUsable(): boolean {
    return this.#line !== undefined && !this.#isBroken && !this.#isEnding;
  }

  on(_event: 'error', listener: (error: Error) => void): this {
    this.#listeners.push(listener);
    return this;
  }

  /** None ever comes, as behind a pooler: without them things happen later, and nothing else. */
  onNotification(): void {}

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { connectionTimeoutMillis = 0 } = this.#config;
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        this.#isConnecting = false;
        timer?.clear();
        settle();
      };
      const timer: HostTimer | undefined =
        connectionTimeoutMillis > 0
          ? this.#process.host.setTimeout(() => {
              this.#isBroken = true;
              end(() => reject(new Error('timeout expired')));
            }, connectionTimeoutMillis)
          : undefined;
      this.#isConnecting = true;
      this.#dial({
        opened: (line) => {
          // Nobody waits for it any more.
          if (isOver || this.#isEnding) return line.leave();
          this.#line = line;
          end(resolve);
        },
        refused: (error) => end(() => reject(error)),
        answered: (replies) => this.#answered(replies),
        closed: () => {
          end(() => reject(new Error('Connection terminated unexpectedly')));
          this.#lost(new Error('Connection terminated unexpectedly'));
        },
      });
    });
  }

  query<Row>(query: string | SqlQuery, values: unknown[] = []): Promise<SqlResult<Row>> {
    return new Promise((resolve, reject) =>
      this.#ask({
        messages: [messageOf(query, values)],
        answers: [],
        resolve: (answer) => {
          if (isResult<Row>(answer)) resolve(answer);
        },
        reject,
      }),
    );
  }

  async transaction(statements: readonly TransactionStatement[]): Promise<TransactionAnswer> {
    const hasBegin = statements.length > 1;
    const carriedOut = statements.map((statement) =>
      'lines' in statement
        ? messageOf({ text: statement.text, values: [statement.lines] }, [])
        : messageOf(statement, []),
    );
    const messages = hasBegin ? [messageOf('BEGIN', []), ...carriedOut, messageOf('COMMIT', [])] : carriedOut;
    const answers: Answer[] = [];
    const failure = await new Promise<Error | undefined>((settle) =>
      this.#ask({ messages: toOneSync(messages), answers, resolve: () => settle(undefined), reject: settle }),
    );
    const done = Math.min(Math.max(0, answers.length - (hasBegin ? 1 : 0)), statements.length);
    const end = hasBegin && answers.length === messages.length ? answers.at(-1)?.command : undefined;
    if (failure !== undefined && hasBegin) this.query('ROLLBACK').catch(() => undefined);
    return { done, failure, end };
  }

  #ask(pending: Pending): void {
    if (this.#isBroken || this.#isEnding || this.#line === undefined) {
      const why = this.#isEnding ? 'was closed' : 'has encountered a connection error';
      pending.reject(new Error(`Client ${why} and is not queryable`));
      return;
    }
    const timeoutMs = this.#config.query_timeout ?? 0;
    this.#unsent.push(timeoutMs > 0 ? this.#timed(pending, timeoutMs) : pending);
    this.#send();
  }

  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const line = this.#line;
    if (line === undefined || this.#isBroken) return;
    if (this.#config.pipeline === true && this.#sent.length > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    line.leave();
    this.#isBroken = true;
    this.#rejectAll(new Error('Connection terminated'));
  }

  cut(): void {
    this.#line?.leave();
    if (this.#isConnecting) this.#isEnding = true;
    // The socket tells of its end a moment later.
    void Promise.resolve().then(() => this.#lost(new Error('Connection terminated unexpectedly')));
  }

  /** Its process is no more: nobody hears anything. */
  vanish(): void {
    this.#isBroken = true;
    this.#sent = [];
    this.#unsent = [];
    this.#listeners.length = 0;
  }

  #timed(pending: Pending, ms: number): Pending {
    const timer = this.#process.host.setTimeout(() => {
      pending.reject(new Error('Query read timeout'));
      if (this.#config.pipeline === true) this.cut();
    }, ms);
    return {
      ...pending,
      resolve: (result) => {
        timer.clear();
        pending.resolve(result);
      },
      reject: (error) => {
        timer.clear();
        pending.reject(error);
      },
    };
  }

  #send(): void {
    const most = this.#config.pipeline === true ? Infinity : 1;
    while (this.#sent.length < most) {
      const next = this.#unsent.shift();
      if (next === undefined) return;
      this.#sent.push(next);
      for (const message of next.messages) this.#line?.send(message);
    }
  }

  #answered(replies: readonly Reply[]): void {
    if (this.#isBroken) return;
    for (const reply of replies) {
      const [pending] = this.#sent;
      if ('error' in reply) {
        this.#sent.shift();
        if (pending === undefined) this.#tell(reply.error);
        else pending.reject(reply.error);
        continue;
      }
      if (pending === undefined) continue;
      pending.answers.push(reply.answer);
      if (pending.answers.length < pending.messages.length) continue;
      this.#sent.shift();
      pending.resolve(reply.answer);
    }
    this.#send();
    if (this.#sent.length === 0) this.#drained?.();
  }

  #lost(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#rejectAll(error);
    this.#drained?.();
    if (!this.#isEnding) this.#tell(error);
  }

  #rejectAll(error: Error): void {
    const pending = [...this.#sent, ...this.#unsent];
    this.#sent = [];
    this.#unsent = [];
    for (const each of pending) each.reject(error);
  }

  #tell(error: Error): void {
    for (const listener of Array.from(this.#listeners)) listener(error);
  }
}

function messageOf(query: string | SqlQuery, values: unknown[]): Message {
  return typeof query === 'string'
    ? { text: query, name: undefined, values, hasSync: true }
    : { text: query.text, name: query.name, values: query.values ?? values, hasSync: true };
}

function toOneSync(messages: readonly Message[]): Message[] {
  return messages.map((message, at) => ({ ...message, hasSync: at === messages.length - 1 }));
}

/** The statement's text says what its rows are: whoever asked knows it, as with the driver. */
function isResult<Row>(result: { rows: readonly unknown[] }): result is SqlResult<Row> {
  return Array.isArray(result.rows);
}

/** As the driver has it where nobody listens at the address. */
export function unreachable(): Error {
  return Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
}
