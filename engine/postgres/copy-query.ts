import { DatabaseError, Query, type Connection } from 'pg';

/** A `COPY … FROM STDIN` with all of its lines. */
export interface SqlCopy {
  text: string;
  /** In Postgres's text format: a row a line, its columns divided by tabs. */
  lines: string;
}

interface Done {
  resolve: (result: { rows: never[]; command: string; rowCount: number | null }) => void;
  reject: (error: Error) => void;
}

/**
 * Sends the lines right behind the statement, without waiting to be asked for them, so that it can stand among others in a
 * pipeline. Where Postgres refuses the statement it passes over all up to the Sync, the lines with it. node-postgres takes nothing
 * but its own queries in a pipeline, and its own has no lines.
 */
export class CopyQuery extends Query<never> {
  readonly #copy: SqlCopy;

  constructor(copy: SqlCopy, { resolve, reject }: Done) {
    super({ text: copy.text }, (error, result) => {
      if (error instanceof Error) reject(withoutLine(error));
      else resolve({ rows: [], command: result.command, rowCount: result.rowCount });
    });
    this.#copy = copy;
  }

  override submit = ({ stream }: Connection): void => void stream.write(messages(this.#copy));

  /** They are on their way. */
  handleCopyInResponse(): void {
    return;
  }
}

/** Postgres quotes from the line that it refused, which may hold a user's payload. */
function withoutLine(error: Error): Error {
  if (error instanceof DatabaseError) error.where = undefined;
  return error;
}

/** Parse, Bind and Execute of the unnamed statement, CopyData, CopyDone, Sync. */
function messages({ text, lines }: SqlCopy): Buffer {
  const textBytes = Buffer.byteLength(text);
  const linesBytes = Buffer.byteLength(lines);
  const into = Buffer.allocUnsafe(1 + 4 + 1 + textBytes + 1 + 2 + tail.length + 1 + 4 + linesBytes + end.length);
  let at = into.write('P', 0, 'latin1');
  at = into.writeInt32BE(4 + 1 + textBytes + 1 + 2, at);
  at = into.writeUInt8(0, at);
  at += into.write(text, at, 'utf8');
  at = into.writeUInt8(0, at);
  at = into.writeInt16BE(0, at);
  at += tail.copy(into, at);
  at += into.write('d', at, 'latin1');
  at = into.writeInt32BE(4 + linesBytes, at);
  at += into.write(lines, at, 'utf8');
  end.copy(into, at);
  return into;
}

const bind = [0x42, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0];
const execute = [0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0];
const tail = Buffer.from([...bind, ...execute]);
const end = Buffer.from([0x63, 0, 0, 0, 4, 0x53, 0, 0, 0, 4]);
