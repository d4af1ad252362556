const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const units = new Map(Object.entries(unitMs));
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y;

/** One hundred years: longer durations are mistakes, and would leave the exact range of what is stored. */
const longestMs = 100 * 365 * 24 * unitMs.h;

/**
 * Milliseconds of a duration such as `500ms`, `90s`, `42m30s`, `3d` (of 24 hours); `undefined` for anything else.
 * Signs, bare numbers, other units and spaces are refused.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '' || text.length > 64) return undefined;
  let total = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return undefined;
    const [, amount, unit] = match;
    total += Number(amount) * (units.get(unit ?? '') ?? 0);
  }
  return total <= longestMs ? Math.round(total) : undefined;
}

/** The shortest text that parseDuration reads back as the same number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitMs[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs[unit];
  }
  return text;
}
