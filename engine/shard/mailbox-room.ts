import { HatchetError } from '../base/errors.ts';
import { maxCommandChars } from '../model/limits.ts';

/** Commands that may wait at once, and characters of the payloads of those that are not answered. */
const mostCommands = 100_000;
const mostChars = 256 * 1024 * 1024;

/** What the mailbox has room for: while Postgres is away, all that waits is in memory. What brings no payload finds room for longer. */
export class MailboxRoom {
  #chars = 0;

  /**
   * `leave` is to be called when the command is answered.
   * @throws HatchetError PAYLOAD_TOO_LARGE for one that no transaction could hold, NOT_OWNER
   */
  enter(waiting: number, chars: number): void {
    if (chars > maxCommandChars) {
      throw new HatchetError(
        'PAYLOAD_TOO_LARGE',
        `the call would store payloads of ${chars} characters; the limit is ${maxCommandChars}, and a payload counts once for each run that it is for`,
        {
          details: { chars, limit: maxCommandChars },
          remedy: 'Make several calls of it, or store large data elsewhere and pass a reference to it.',
        },
      );
    }
    if (waiting >= mostCommands) throw tooMany(`${waiting} commands wait already`);
    if (chars > 0 && this.#chars + chars > mostChars)
      throw tooMany(`commands with ${this.#chars} characters wait already`);
    this.#chars += chars;
  }

  leave(chars: number): void {
    this.#chars -= chars;
  }
}

function tooMany(what: string): HatchetError {
  return new HatchetError('NOT_OWNER', what, { remedy: 'Slow down and try again.' });
}
