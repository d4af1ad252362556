/** Partitioned by day on the UUIDv7 that leads their primary key: `key`. */
export const dayTables = [
  { name: 'run', key: 'id' },
  { name: 'task', key: 'id' },
  { name: 'result', key: 'task_id' },
  { name: 'run_end', key: 'run_id' },
  { name: 'history', key: 'task_id' },
  { name: 'log_line', key: 'task_id' },
  { name: 'stream_chunk', key: 'run_id' },
  { name: 'durable_entry', key: 'task_id' },
  { name: 'durable_result', key: 'task_id' },
  { name: 'event', key: 'id' },
  { name: 'event_run', key: 'event_id' },
  { name: 'audit_line', key: 'id' },
  { name: 'span', key: 'id' },
] as const;
export type DayTable = (typeof dayTables)[number];

export const dayMs = 86_400_000;

/** Days since the epoch, in UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** The lowest UUID of a day: its first millisecond, all else zero. */
export function dayBound(day: number): string {
  const hex = (day * dayMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

function stamp(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}

/** `run_20260131` */
export function partitionName(table: string, day: number): string {
  return `${table}_${stamp(day)}`;
}

/** `run_old_20260131`: what is left of the days before it. */
export function oldPartitionName(table: string, day: number): string {
  return `${table}_old_${stamp(day)}`;
}

/** The day in a partition's name, or `undefined` where the name is none of ours. For an old one, the day that it ends before. */
export function partitionDay(name: string): { day: number; old: boolean } | undefined {
  const match = /_(old_)?(\d{4})(\d\d)(\d\d)$/.exec(name);
  if (match === null) return undefined;
  const [, old, year, month, date] = match;
  return { day: dayOf(Date.UTC(Number(year), Number(month) - 1, Number(date))), old: old !== undefined };
}
