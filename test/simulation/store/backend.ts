import { DatabaseError } from 'pg';
import type { MessageFault, SentMessage } from './faults.ts';
import { Parameters } from './parameters.ts';
import { refusal } from './refusal.ts';
import { isOrdered, type Activity, type Answer, type Context, type StatementModel } from './statement.ts';
import type { Tables } from './schema.ts';
import type { Settings } from './settings.ts';
import { Awaited, Blocked, Transaction } from './transaction.ts';
import type { Message, Wire } from './wire.ts';

export interface Timer {
  clear(): void;
}

/** What a backend has of the server that it belongs to. */
export interface Server {
  readonly tables: Tables;
  readonly statements: ReadonlyMap<string, StatementModel>;
  commits(): number;
  nowUs(): number;
  after(ms: number, run: () => void): Timer;
  /** Has something happen in an order of the world's choice. */
  soon(run: () => void): void;
  activity(): readonly Activity[];
  terminate(pid: number, untilUs: number): boolean;
  committed(transaction: Transaction, waitsForDisk: boolean): void;
  /** A transaction that is repeatable read begins, or ends. */
  snapshots(change: 1 | -1): void;
  refused(error: DatabaseError): void;
  faultOf(message: SentMessage): MessageFault | undefined;
  inAnyOrder(rows: Answer['rows']): Answer['rows'];
  gone(backend: Backend): void;
}

/** A statement that waits, to be run again. */
interface Waiting {
  transaction: Transaction;
  stop: () => void;
}

/** Ends once its backend is gone. */
class Gone extends Awaited {
  end(): void {
    this.over();
  }
}

/** The server process of one connection: carries out one message after the other. */
export class Backend {
  readonly pid: number;
  readonly startUs: number;
  readonly applicationName: string;
  readonly processName: string;
  readonly ended = new Gone();
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #settings: Settings;
  readonly #inbox: { message: Message; fault: MessageFault | 'none' | undefined }[] = [];
  #block: 'none' | 'open' | 'failed' = 'none';
  #transaction: Transaction | undefined;
  #isRepeatable = false;
  /** On the first run of the statement that is under way. */
  #startedUs: number | undefined;
  #waiting: Waiting | undefined;
  #pause: { timer: Timer; isStall: boolean } | undefined;
  #idle: Timer | undefined;
  /** Up to the next Sync. */
  #isPassingOver = false;
  #isPeerGone = false;
  /** It was told to end while it could not be interrupted. */
  #isDoomed = false;
  #isGone = false;

  constructor(options: {
    pid: number;
    server: Server;
    wire: Wire;
    settings: Settings;
    applicationName: string;
    processName: string;
  }) {
    this.pid = options.pid;
    this.#server = options.server;
    this.#wire = options.wire;
    this.#settings = options.settings;
    this.applicationName = options.applicationName;
    this.processName = options.processName;
    this.startUs = options.server.nowUs();
  }

  /** Whether a statement of it waits for a lock. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  receive(messages: readonly Message[]): void {
    for (const message of messages) this.#inbox.push({ message, fault: undefined });
    this.#work();
  }

  /** Noticed only between two statements. */
  peerGone(): void {
    this.#isPeerGone = true;
    this.#work();
  }

  /** pg_terminate_backend. @returns whether it is gone; otherwise it will be once it can be interrupted */
  terminate(): boolean {
    if (this.#pause?.isStall === true) {
      this.#isDoomed = true;
      return false;
    }
    this.#die('57P01', 'terminating connection due to administrator command');
    return true;
  }

  /** As when the whole server dies. */
  crash(): void {
    this.#end({ losesAnswers: true });
  }

  #work(): void {
    this.#idle?.clear();
    this.#idle = undefined;
    while (!this.#isGone && this.#waiting === undefined && this.#pause === undefined) {
      const [next] = this.#inbox;
      if (next === undefined) return this.#rest();
      next.fault ??= this.#faultOf(next.message) ?? 'none';
      const { fault } = next;
      if (fault !== 'none' && (fault.kind === 'delay' || fault.kind === 'stall')) {
        next.fault = 'none';
        this.#standStill(fault);
        return;
      }
      if (fault !== 'none' && fault.kind === 'cut' && fault.when === 'before') return this.#end(fault);
      if (fault !== 'none' && fault.kind === 'end') return this.#die(fault.sqlstate, 'ended by the world');
      if (this.#isDoomed && !this.#isCommitting(next.message)) return this.#dieDoomed();
      const refused = fault !== 'none' && fault.kind === 'refuse' ? fault.sqlstate : undefined;
      if (this.#isPassingOver) this.#isPassingOver = !next.message.hasSync;
      else if (!this.#carryOut(next.message, refused)) return;
      this.#inbox.shift();
      this.#startedUs = undefined;
      if (fault !== 'none' && fault.kind === 'cut') return this.#end(fault);
      if (this.#isDoomed) return this.#dieDoomed();
    }
  }

  #faultOf({ text, name, values }: Message): MessageFault | undefined {
    const { processName: process, applicationName, pid } = this;
    const isInTransaction = this.#block !== 'none';
    return this.#server.faultOf({ process, applicationName, pid, text, name, values, isInTransaction });
  }

  #standStill({ ms, kind }: { ms: number; kind: 'delay' | 'stall' }): void {
    const timer = this.#server.after(ms, () => {
      this.#pause = undefined;
      this.#work();
    });
    this.#pause = { timer, isStall: kind === 'stall' };
    // What is on its way is not known of here.
    if (kind === 'delay') this.#armIdle();
  }

  /** No message is left. */
  #rest(): void {
    if (this.#isPeerGone) return this.#end({ losesAnswers: true });
    this.#armIdle();
  }

  #armIdle(): void {
    const { idleInTransactionMs } = this.#settings;
    if (this.#block === 'none' || idleInTransactionMs === 0) return;
    this.#idle = this.#server.after(idleInTransactionMs, () =>
      this.#die('25P03', 'terminating connection due to idle-in-transaction timeout'),
    );
  }

  #isCommitting({ text }: Message): boolean {
    return text === 'COMMIT' || (this.#block === 'none' && this.#server.statements.has(text));
  }

  /** @returns whether it is answered, rather than waiting */
  #carryOut(message: Message, refused: string | undefined): boolean {
    const { text } = message;
    try {
      if (refused !== undefined) throw refusal(refused, 'refused by the world');
      const answer = this.#control(text) ?? this.#run(message);
      this.#wire.reply({ answer });
    } catch (error) {
      if (error instanceof Blocked) {
        this.#wait(error);
        return false;
      }
      if (!(error instanceof DatabaseError)) throw error;
      this.#server.refused(error);
      this.#failed();
      if (text === 'COMMIT') this.#endBlock();
      this.#refuse(message, error);
    }
    return true;
  }

  /** Statements about transactions and the session. */
  #control(text: string): Answer | undefined {
    const done = (command: string): Answer => ({ command, rows: [], rowCount: null });
    if (text === 'COMMIT') {
      const isFailed = this.#block === 'failed';
      if (this.#transaction !== undefined) this.#commit(this.#transaction);
      this.#endBlock();
      return done(isFailed ? 'ROLLBACK' : 'COMMIT');
    }
    if (text === 'ROLLBACK') {
      this.#transaction?.rollback();
      this.#endBlock();
      return done('ROLLBACK');
    }
    if (this.#block === 'failed')
      throw refusal('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
    if (text === 'BEGIN' || text === 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY') {
      if (this.#block === 'open') return done('BEGIN');
      this.#block = 'open';
      this.#isRepeatable = text !== 'BEGIN';
      this.#transaction = new Transaction(
        this.#server.nowUs(),
        this.#isRepeatable ? this.#server.commits() : undefined,
      );
      if (this.#isRepeatable) this.#server.snapshots(1);
      return done('BEGIN');
    }
    return this.#settings.take(text) ? done('SET') : undefined;
  }

  #run({ text, values }: Message): Answer {
    const model = this.#server.statements.get(text);
    if (model === undefined) throw new Error(`the model of the store has no such statement:\n${text}`);
    const nowUs = this.#server.nowUs();
    this.#startedUs ??= nowUs;
    const transaction = this.#waiting?.transaction ?? this.#transaction ?? new Transaction(nowUs);
    this.#waiting = undefined;
    const mark = transaction.mark();
    let answer: Answer;
    try {
      answer = model.run(this.#context(transaction, this.#startedUs), new Parameters(values));
    } catch (error) {
      transaction.backTo(mark);
      if (error instanceof Blocked) this.#waiting = { transaction, stop: () => undefined };
      else if (transaction !== this.#transaction) transaction.rollback();
      throw error;
    }
    if (transaction !== this.#transaction) this.#commit(transaction);
    if (answer.rows.length > 1 && !isOrdered(text)) answer.rows = this.#server.inAnyOrder(answer.rows);
    return answer;
  }

  #context(transaction: Transaction, firstRunUs: number): Context {
    const server = this.#server;
    return {
      transaction,
      tables: server.tables,
      clockUs: server.nowUs(),
      pid: this.pid,
      activity: () => server.activity(),
      terminate: (pid, untilUs) => server.terminate(pid, untilUs),
      firstRunUs,
    };
  }

  #commit(transaction: Transaction): void {
    this.#server.committed(transaction, this.#settings.waitsForDisk);
  }

  #endBlock(): void {
    if (this.#isRepeatable) this.#server.snapshots(-1);
    this.#isRepeatable = false;
    this.#block = 'none';
    this.#transaction = undefined;
  }

  /** Locks are free at once; the block itself lasts until it is ended. */
  #failed(): void {
    this.#transaction?.rollback();
    this.#transaction = undefined;
    if (this.#block === 'open') this.#block = 'failed';
  }

  #wait({ by, untilUs }: Blocked): void {
    const { transaction } = this.#waiting ?? { transaction: undefined };
    if (transaction === undefined) throw new Error('a statement waits without a transaction');
    const { lockMs, statementMs, deadlockMs } = this.#settings;
    const server = this.#server;
    const leftMs = (this.#startedUs ?? 0) / 1000 + statementMs - server.nowUs() / 1000;
    const timers = [
      ...(by instanceof Transaction
        ? [server.after(deadlockMs, () => transaction.isDeadlocked && this.#giveUp('40P01', 'deadlock detected'))]
        : []),
      ...(by instanceof Transaction && lockMs > 0
        ? [server.after(lockMs, () => this.#giveUp('55P03', 'canceling statement due to lock timeout'))]
        : []),
      ...(statementMs > 0
        ? [server.after(leftMs, () => this.#giveUp('57014', 'canceling statement due to statement timeout'))]
        : []),
      ...(untilUs < Infinity ? [server.after((untilUs - server.nowUs()) / 1000, () => this.#again())] : []),
    ];
    const unlisten = by.wait(() => server.soon(() => this.#again()));
    transaction.waitsFor = by;
    this.#waiting = {
      transaction,
      stop: () => {
        transaction.waitsFor = undefined;
        unlisten();
        for (const timer of timers) timer.clear();
      },
    };
  }

  /** What it waited for has happened. */
  #again(): void {
    const [next] = this.#inbox;
    if (this.#waiting === undefined || next === undefined || this.#isGone) return;
    this.#waiting.stop();
    if (!this.#carryOut(next.message, undefined)) return;
    this.#done(next.fault);
  }

  /** The statement waits no more, and fails. */
  #giveUp(sqlstate: string, message: string): void {
    const [next] = this.#inbox;
    const waiting = this.#waiting;
    if (waiting === undefined || next === undefined) return;
    waiting.stop();
    this.#waiting = undefined;
    waiting.transaction.rollback();
    this.#failed();
    this.#refuse(next.message, refusal(sqlstate, message));
    this.#done(next.fault);
  }

  #refuse({ hasSync }: Message, error: DatabaseError): void {
    this.#isPassingOver = !hasSync;
    this.#wire.reply({ error });
  }

  #done(fault: MessageFault | 'none' | undefined): void {
    this.#inbox.shift();
    this.#startedUs = undefined;
    if (fault !== undefined && fault !== 'none' && fault.kind === 'cut') this.#end(fault);
    else this.#work();
  }

  #dieDoomed(): void {
    this.#die('57P01', 'terminating connection due to administrator command');
  }

  #die(sqlstate: string, message: string): void {
    this.#wire.reply({ error: refusal(sqlstate, message, 'FATAL') });
    this.#end({ losesAnswers: false });
  }

  #end({ losesAnswers }: { losesAnswers: boolean }): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#idle?.clear();
    this.#pause?.timer.clear();
    const waiting = this.#waiting;
    waiting?.stop();
    this.#waiting = undefined;
    this.#inbox.length = 0;
    waiting?.transaction.rollback();
    this.#transaction?.rollback();
    this.#endBlock();
    this.#wire.hangUp({ losesAnswers });
    this.#server.gone(this);
    this.ended.end();
  }
}
