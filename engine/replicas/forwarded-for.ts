import type { Sealer } from '../auth/secrets/sealer.ts';

/** Names the client of a call that one engine passes on to another. gRPC metadata, and a header of HTTP. */
export const forwardedHeader = 'hatchet-forwarded-for';
const mostKnown = 1_000;
const boundTo = 'forwarded call';

/**
 * The address of the client of a call that is passed on, sealed under the key that all engines on a database share: nobody else
 * can write an address into the audit log, or keep a call from being passed on. What a later version adds comes after a space; this
 * one does not read it.
 */
export class ForwardedFor {
  readonly #sealer: Sealer;
  readonly #sealed = new Map<string, string>();
  readonly #opened = new Map<string, string>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  seal(address: string): string {
    return remember(this.#sealed, address, () => this.#sealer.seal(address, boundTo));
  }

  /** @returns the client's address; undefined for a call that no engine has passed on */
  open(header: string | undefined): string | undefined {
    if (header === undefined) return undefined;
    try {
      return remember(this.#opened, header, () => this.#sealer.open(header, boundTo).split(' ', 1)[0] ?? '');
    } catch {
      return undefined;
    }
  }
}

function remember(known: Map<string, string>, key: string, make: () => string): string {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= mostKnown) known.clear();
  const made = make();
  known.set(key, made);
  return made;
}
