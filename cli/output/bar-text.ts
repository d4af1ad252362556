/** A share as a bar of `width` cells: what is used at all shows, and only what is full fills it. */
export function barText(used: number, total: number, width: number): string {
  const cells =
    total <= 0
      ? used > 0
        ? width
        : 0
      : used >= total
        ? width
        : Math.min(width - 1, Math.ceil((used / total) * width));
  const shown = Math.max(0, cells);
  return '█'.repeat(shown) + '░'.repeat(width - shown);
}
