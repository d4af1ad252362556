import { DatabaseError, Query, type Connection } from 'pg';

/** A statement of a transaction: a prepared one with its parameters, or a `COPY … FROM STDIN` with all of its lines. */
export type TransactionStatement = { text: string } & ({ name: string; values: (string | null)[] } | { lines: string });

export interface TransactionAnswer {
  /** How many statements Postgres has carried out, BEGIN and COMMIT left out. */
  done: number;
  /** Why it carried out no more, or why nobody knows how many it did. */
  failure: Error | undefined;
  /** Undefined where there was no COMMIT, or no answer to it. */
  end: string | undefined;
}

interface Step {
  /** Of the prepared statement; empty for one that is used once. */
  readonly name: string;
  readonly text: string;
  readonly values: (string | null)[];
  readonly lines: string | undefined;
}

const begin: Step = { name: 'begin_transaction', text: 'BEGIN', values: [], lines: undefined };
const commit: Step = { name: 'commit_transaction', text: 'COMMIT', values: [], lines: undefined };

/**
 * A whole transaction with one Sync, behind its COMMIT: Postgres answers in one piece, and passes over all that stands behind a
 * statement that it refuses. A Sync behind each statement, as node-postgres has it in a pipeline, has each answer sent and read by
 * itself. A transaction of one statement needs no BEGIN.
 */
export class TransactionQuery extends Query<never> {
  readonly #steps: readonly Step[];
  readonly #hasBegin: boolean;
  /** Names of the statements that this connection has prepared. */
  readonly #prepared: Set<string>;
  readonly #settle: (answer: TransactionAnswer) => void;
  #done = 0;
  #end: string | undefined;

  constructor(
    statements: readonly TransactionStatement[],
    prepared: Set<string>,
    settle: (answer: TransactionAnswer) => void,
  ) {
    // The driver wants a text, and sends what `submit` does.
    super({ text: 'COMMIT' });
    const steps = statements.map((statement): Step =>
      'lines' in statement
        ? { name: '', text: statement.text, values: [], lines: statement.lines }
        : { ...statement, lines: undefined },
    );
    this.#hasBegin = steps.length > 1;
    this.#steps = this.#hasBegin ? [begin, ...steps, commit] : steps;
    this.#prepared = prepared;
    this.#settle = settle;
  }

  override submit = (connection: Connection): void => {
    const { stream } = connection;
    stream.cork();
    try {
      for (const step of this.#steps) this.#write(connection, step);
      connection.sync();
    } finally {
      stream.uncork();
    }
  };

  /** No answer has rows that anybody reads. */
  handleDataRow(): void {
    return;
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#done++;
    if (this.#hasBegin && this.#done === this.#steps.length) this.#end = text;
  }

  /** The lines are on their way. */
  handleCopyInResponse(): void {
    return;
  }

  handleError(error: Error): void {
    // It, and those behind it, may have been prepared or not.
    for (const { name } of this.#steps.slice(this.#done)) this.#prepared.delete(name);
    this.#settle({ ...this.#answer(), failure: withoutLine(error) });
  }

  handleReadyForQuery(): void {
    this.#settle(this.#answer());
  }

  #answer(): TransactionAnswer {
    const begun = this.#hasBegin ? Math.max(0, this.#done - 1) : this.#done;
    const statements = this.#steps.length - (this.#hasBegin ? 2 : 0);
    return { done: Math.min(begun, statements), failure: undefined, end: this.#end };
  }

  #write(connection: Connection, { name, text, values, lines }: Step): void {
    if (!this.#prepared.has(name)) {
      // Harmless where there is none of that name.
      if (name !== '') connection.close({ type: 'S', name }, true);
      connection.parse({ name, text, types: [] }, true);
      if (name !== '') this.#prepared.add(name);
    }
    connection.bind({ statement: name, values }, true);
    connection.execute(null, true);
    if (lines !== undefined) connection.stream.write(copyMessages(lines));
  }
}

/** Postgres quotes from the line that it refused, which may hold a user's payload. */
function withoutLine(error: Error): Error {
  if (error instanceof DatabaseError) error.where = undefined;
  return error;
}

/** CopyData and CopyDone. */
function copyMessages(lines: string): Buffer {
  const bytes = Buffer.byteLength(lines);
  const into = Buffer.allocUnsafe(1 + 4 + bytes + copyDone.length);
  into.write('d', 0, 'latin1');
  into.writeInt32BE(4 + bytes, 1);
  into.write(lines, 5, 'utf8');
  copyDone.copy(into, 5 + bytes);
  return into;
}

const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);
