import { HatchetError } from '../../base/errors.ts';

/** Of bodies that are being read for nobody knows whom. */
const mostBytes = 128 * 1024 * 1024;

/** Bounds what strangers can have the engine hold at once. Senders of webhooks come again by themselves. */
export class BodyRoom {
  #taken = 0;

  /** @throws HatchetError BUSY; what was taken is to be given back all the same */
  take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken > mostBytes)
      throw new HatchetError('BUSY', `${mostBytes} bytes of webhooks' bodies are being read already`, {
        remedy: 'Send it again in a moment.',
      });
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
