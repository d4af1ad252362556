declare const checked: unique symbol;

/**
 * A value that came from a caller and that a parser of the edge has let through, or that the engine made itself: within its
 * bounds, and nothing that Postgres refuses. To the compiler alone it is more than a string or a number.
 */
export type Checked<T> = T & { readonly [checked]: true };

/** The brand exists for the compiler alone: whoever asks says that the value is good. */
function isChecked<T>(value: T): value is Checked<T> {
  return value !== undefined;
}

/** For parsers, and for whoever makes ids: nobody else says that a value is good. */
export function markChecked<T>(value: T): Checked<T> {
  if (isChecked(value)) return value;
  throw new TypeError('nothing was checked');
}
