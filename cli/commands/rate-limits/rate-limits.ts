import { RateLimitDuration, type RateLimitState } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { offsetPage, offsetQuery, type OffsetFlags } from '../../input/offset-page.ts';
import type { Table } from '../../output/table.ts';
import type { RateLimitWindow } from './rate-limit-windows.ts';

export type RateLimitFlags = ConnectionFlags & OutputFlag;

export interface ListRateLimitsFlags extends RateLimitFlags, OffsetFlags {
  search?: string;
}

export interface PutRateLimitFlags extends RateLimitFlags {
  limit: number;
  per: RateLimitWindow;
}

interface RateLimitRow {
  key: string;
  limit: number;
  left: number;
  window: string;
  /** When the present window began; null before the first. */
  refilledAt: string | null;
}

const durations: Readonly<Record<RateLimitWindow, RateLimitDuration>> = {
  second: RateLimitDuration.SECOND,
  minute: RateLimitDuration.MINUTE,
  hour: RateLimitDuration.HOUR,
  day: RateLimitDuration.DAY,
  week: RateLimitDuration.WEEK,
  month: RateLimitDuration.MONTH,
  year: RateLimitDuration.YEAR,
};

const table: Table<RateLimitRow> = {
  columns: [
    { title: 'KEY', cell: (row) => row.key },
    { title: 'LEFT', cell: (row) => String(row.left), align: 'right' },
    { title: 'LIMIT', cell: (row) => String(row.limit), align: 'right' },
    { title: 'PER', cell: (row) => row.window },
    { title: 'REFILLED', cell: (row) => row.refilledAt ?? '' },
  ],
  empty: 'No rate limits. Set one with `hatchet rate-limits put <key> --limit <n>`.',
};

function rowOf({ key, limitValue, value, window, lastRefill }: RateLimitState): RateLimitRow {
  const began = lastRefill === undefined || Date.parse(lastRefill) === 0 ? null : lastRefill;
  return { key, limit: limitValue, left: value, window: window.toLowerCase(), refilledAt: began };
}

export async function listRateLimits(context: CliContext, flags: ListRateLimitsFlags): Promise<ExitCode> {
  const { search = '' } = flags;
  const { rows = [] } = await withSdk(context, flags, (hatchet) =>
    hatchet.ratelimits.list({ ...offsetQuery(flags), search }),
  );
  outputOf(context, flags).list(offsetPage(rows.map(rowOf), flags), table);
  return ExitCode.done;
}

/** @throws HatchetError */
export async function putRateLimit(context: CliContext, key: string, flags: PutRateLimitFlags): Promise<ExitCode> {
  const { limit, per } = flags;
  await withSdk(context, flags, (hatchet) => hatchet.ratelimits.upsert({ key, limit, duration: durations[per] }));
  outputOf(context, flags).value({ key, limit, window: per }, () => `${key}  ${limit} per ${per}`);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function deleteRateLimit(context: CliContext, key: string, flags: RateLimitFlags): Promise<ExitCode> {
  await withSdk(context, flags, (hatchet) => hatchet.ratelimits.delete(key));
  outputOf(context, flags).value({ key, deleted: true }, () => `${key}  deleted`);
  return ExitCode.done;
}
