/** Lines as rows of the screen, to be keyed by their row: a row stays where it is, whatever is written there next. */
export function rowsOf<Item>(items: readonly Item[], first = 0): { row: number; item: Item }[] {
  return items.map((item, index) => ({ row: first + index, item }));
}
