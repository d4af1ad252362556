/** Rows above and below the window that are drawn too, so that a flick of the wheel shows no gap. */
const beyond = 8;

/** Which rows of a long list are drawn: from `start` to before `end`. */
export function visibleRows(
  window: { scrollTop: number; height: number },
  list: { rowHeight: number; rows: number },
): { start: number; end: number } {
  const first = Math.floor(Math.max(0, window.scrollTop) / list.rowHeight);
  const shown = Math.ceil(window.height / list.rowHeight);
  const start = Math.max(0, Math.min(first - beyond, list.rows));
  return { start, end: Math.min(list.rows, first + shown + beyond) };
}

/** Where to scroll so that a row is in the window whole; the present place where it is already. */
export function scrollTo(index: number, window: { scrollTop: number; height: number }, rowHeight: number): number {
  const top = index * rowHeight;
  if (top < window.scrollTop) return top;
  return top + rowHeight > window.scrollTop + window.height ? top + rowHeight - window.height : window.scrollTop;
}
