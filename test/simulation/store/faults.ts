/** A message to Postgres that a backend is about to carry out. */
export interface SentMessage {
  /** Of whose connection. */
  process: string;
  applicationName: string;
  pid: number;
  text: string;
  /** Of the prepared statement. */
  name: string | undefined;
  values: readonly unknown[];
  /** Between BEGIN and COMMIT. */
  isInTransaction: boolean;
}

/** What befalls a message. */
export type MessageFault =
  /** It is on its way for so much longer, and all behind it. */
  | { kind: 'delay'; ms: number }
  /** The backend stands still before it, for example while the disk takes a commit: it cannot be ended meanwhile. */
  | { kind: 'stall'; ms: number }
  /** The connection breaks, before the message has arrived or once it is carried out. Earlier answers that are on their way get through, or are lost too. */
  | { kind: 'cut'; when: 'before' | 'after'; losesAnswers: boolean }
  /** Postgres says no. */
  | { kind: 'refuse'; sqlstate: string }
  /** Postgres ends the connection, and says why. */
  | { kind: 'end'; sqlstate: string };

/** What befalls an attempt to connect. */
export type ConnectFault = { kind: 'refuse'; sqlstate?: string } | { kind: 'delay'; ms: number };

/** What goes wrong between the engine and its store: the world decides each time. */
export interface StoreFaults {
  message?(message: SentMessage): MessageFault | undefined;
  connect?(process: string, applicationName: string): ConnectFault | undefined;
  /** Rows that a statement answers in no order of its own. */
  inAnyOrder?<Row>(rows: readonly Row[]): Row[];
  /** Of the last commits that did not wait for the disk, how many a crash of Postgres loses. */
  lostByCrash?(most: number): number;
}

/** Everything that writes a certain text is refused, as Postgres does to a value that it cannot store. */
export function poison(message: SentMessage, text: string, sqlstate = '22P05'): MessageFault | undefined {
  const holds = (value: unknown): boolean =>
    typeof value === 'string' ? value.includes(text) : Array.isArray(value) && value.some(holds);
  const isWrite = /^\s*(INSERT|UPDATE|DELETE|COPY)/.test(message.text);
  return isWrite && message.values.some(holds) ? { kind: 'refuse', sqlstate } : undefined;
}
