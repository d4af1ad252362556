/** A length of time in few characters: `850 ms`, `4.2 s`, `3 m 20 s`, `2 h 5 m`, `4 d`. */
export function msText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** From one time to another, to now while the other is missing, and nothing before the first. */
export function spanText(from: string | null, to: string | null, nowMs = Date.now()): string {
  if (from === null) return '';
  return msText((to === null ? nowMs : Date.parse(to)) - Date.parse(from));
}

export function ageText(from: string | null, nowMs = Date.now()): string {
  return spanText(from, null, nowMs);
}

/** Until a time that is to come: `in 4.2 s`; `due` once it is here, nothing without one. */
export function untilText(at: string | null, nowMs = Date.now()): string {
  if (at === null) return '';
  const ms = Date.parse(at) - nowMs;
  return ms <= 0 ? 'due' : `in ${msText(ms)}`;
}

/** To the second, in UTC: `2030-01-31 12:00:00Z`. */
export function timeText(at: string | null): string {
  return at === null ? '' : `${at.slice(0, 19).replace('T', ' ')}Z`;
}
