/** Errors that a second try can cure: serialization, deadlock, lock time-out, resources, cancellation by an operator. */
export function isPassingError(sqlstate: string): boolean {
  return (
    sqlstate.startsWith('40') ||
    sqlstate.startsWith('53') ||
    sqlstate === '55P03' ||
    sqlstate === '57014' ||
    sqlstate === '25P03'
  );
}
