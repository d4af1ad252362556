/** Data exceptions, violated constraints, a set that has several rows where one may be, limits of Postgres itself. */
const refusedValues = /^(?:21|22|23|54)/;

/** Whether a statement with such an end was refused because of a value in it. */
export function isRefusedValue(sqlstate: string): boolean {
  return refusedValues.test(sqlstate);
}
