/**
 * The clock of a time zone. A wall time is a number of milliseconds too: the instant at which a clock in UTC shows it.
 */
const formats = new Map<string, Intl.DateTimeFormat>();
const dayMs = 86_400_000;
/** No zone has moved its clock twice within it since 1950. */
const stepMs = 7 * dayMs;

/** What the zone's clock is ahead of UTC at an instant, in milliseconds. */
export function offsetAt(zone: string, ms: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const match = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(name);
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  return (sign === '-' ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

/** The first instant after one and not after another at which the zone's clock is moved. */
export function nextChange(zone: string, afterMs: number, untilMs: number): number | undefined {
  const offset = offsetAt(zone, afterMs);
  for (let from = afterMs; from < untilMs; from += stepMs) {
    let to = Math.min(from + stepMs, untilMs);
    if (offsetAt(zone, to) === offset) continue;
    let before = from;
    while (to - before > 1) {
      const middle = Math.floor((before + to) / 2);
      if (offsetAt(zone, middle) === offset) before = middle;
      else to = middle;
    }
    return to;
  }
  return undefined;
}

/** The first instant at which the zone's clock shows a wall time; where it never does, the one at which it is moved past it. */
export function instantOf(zone: string, wallMs: number): number {
  // A day to either side: no clock is further from UTC, and none that was moved by a day is met on the wrong side.
  const before = offsetAt(zone, wallMs - dayMs);
  const after = offsetAt(zone, wallMs + dayMs);
  for (const instant of [wallMs - Math.max(before, after), wallMs - Math.min(before, after)]) {
    if (instant + offsetAt(zone, instant) === wallMs) return instant;
  }
  return nextChange(zone, wallMs - dayMs, wallMs + dayMs) ?? wallMs - after;
}
