import type { DatabaseError } from 'pg';
import type { Answer } from './statement.ts';

export interface Message {
  text: string;
  name: string | undefined;
  values: readonly unknown[];
  /** Where it is refused, all behind it is passed over, up to the next that has one. */
  hasSync: boolean;
}

export type Reply = { answer: Answer } | { error: DatabaseError };

/** Has things happen that others cause, each when its time has come. */
export interface Delivery {
  /** Calls it once, later. */
  deliver(arrive: () => void): void;
}

interface ServerEnd {
  receive(messages: readonly Message[]): void;
  /** Nothing more comes, and nobody reads any more. */
  peerGone(): void;
}

interface ClientEnd {
  answered(replies: readonly Reply[]): void;
  /** The connection is lost. */
  closed(): void;
}

/** A connection: what is sent arrives in order, and what was sent before an end arrives before the end. */
export class Wire {
  readonly #toServer: Message[] = [];
  readonly #toClient: Reply[] = [];
  readonly #server: Delivery;
  readonly #client: Delivery;
  readonly #clientEnd: ClientEnd;
  #serverEnd: ServerEnd | undefined;
  #isSending = false;
  #isAnswering = false;
  #isClientGone = false;
  #isServerGone = false;
  #hasVanished = false;

  constructor(options: { server: Delivery; client: Delivery; clientEnd: ClientEnd }) {
    this.#server = options.server;
    this.#client = options.client;
    this.#clientEnd = options.clientEnd;
  }

  accept(serverEnd: ServerEnd): void {
    this.#serverEnd = serverEnd;
  }

  send(message: Message): void {
    if (this.#isClientGone) return;
    this.#toServer.push(message);
    this.#sendOn();
  }

  /** The client goes. What it has sent arrives. */
  leave(): void {
    if (this.#isClientGone) return;
    this.#isClientGone = true;
    this.#sendOn();
  }

  /** The client's machine goes: nothing more arrives, and the server is told by nobody. @returns tells it */
  vanish(): () => void {
    this.#isClientGone = true;
    this.#hasVanished = true;
    this.#toServer.length = 0;
    return () => {
      if (!this.#isServerGone) this.#serverEnd?.peerGone();
    };
  }

  reply(reply: Reply): void {
    if (this.#isServerGone) return;
    this.#toClient.push(reply);
    this.#answerOn();
  }

  /** The server goes. */
  hangUp({ losesAnswers }: { losesAnswers: boolean }): void {
    if (this.#isServerGone) return;
    this.#isServerGone = true;
    if (losesAnswers) this.#toClient.length = 0;
    this.#answerOn();
  }

  #sendOn(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#server.deliver(() => {
      this.#isSending = false;
      if (this.#isServerGone) return;
      const messages = this.#toServer.splice(0);
      if (messages.length > 0) this.#serverEnd?.receive(messages);
      if (this.#isClientGone && !this.#hasVanished) this.#serverEnd?.peerGone();
    });
  }

  #answerOn(): void {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    this.#client.deliver(() => {
      this.#isAnswering = false;
      if (this.#isClientGone) return;
      const replies = this.#toClient.splice(0);
      if (replies.length > 0) this.#clientEnd.answered(replies);
      if (!this.#isServerGone) return;
      this.#isClientGone = true;
      this.#clientEnd.closed();
    });
  }
}
