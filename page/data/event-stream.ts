/** One message of a `text/event-stream`. */
export interface StreamMessage {
  /** `message` unless the stream names another. */
  event: string;
  data: string;
}

/** Cuts a stream's text, which comes in pieces of any size, into its messages. Comments, which keep a connection open, are dropped. */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  push(text: string): StreamMessage[] {
    const messages: StreamMessage[] = [];
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line === '') {
        if (this.#data.length > 0 || this.#event !== '')
          messages.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
        continue;
      }
      this.#field(line);
    }
    return messages;
  }

  #field(line: string): void {
    const at = line.indexOf(':');
    if (at === 0) return;
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
  }
}
