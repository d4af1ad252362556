/** `1 run`, `2 runs`, `12,000 runs`. */
export function amount(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
}
