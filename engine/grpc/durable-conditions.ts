import { compileCel } from '../cel/compile-cel.ts';
import { HatchetError } from '../errors.ts';
import type { DurableCondition } from '../model/durable.ts';
import { parseDuration } from '../model/duration.ts';
import type { BaseMatchCondition, DurableEventListenerConditions } from '../../proto/gen/hatchet/contract/v1/condition.ts';

/** Conditions of one wait. */
const most = 100;
const longestKey = 1000;
/** A year. */
const longestSleepMs = 366 * 86_400_000;

function invalid(message: string, remedy: string): HatchetError {
  return new HatchetError('INVALID_ARGUMENT', message, { remedy });
}

/**
 * What a durable wait waits for. Or-groups are numbered as they appear: SDKs name them anew each time.
 * @throws HatchetError INVALID_ARGUMENT
 */
export function readDurableConditions(request: DurableEventListenerConditions | undefined): DurableCondition[] {
  const sleeps = request?.sleepConditions ?? [];
  const events = request?.userEventConditions ?? [];
  const count = sleeps.length + events.length;
  if (count === 0 || count > most) throw invalid(`the wait has ${count} conditions`, `Give it 1 to ${most}.`);
  const groups: string[] = [];
  const base = (wire: BaseMatchCondition | undefined): { group: number; dataKey: string } => {
    const id = wire?.orGroupId ?? '';
    const known = id === '' ? -1 : groups.indexOf(id);
    return { group: known < 0 ? groups.push(id) - 1 : known, dataKey: (wire?.readableDataKey ?? '').replaceAll('\0', '') };
  };
  return [
    ...sleeps.map((sleep): DurableCondition => {
      const ms = parseDuration(sleep.sleepFor);
      if (ms === undefined || ms > longestSleepMs) throw invalid(`the sleep ${JSON.stringify(sleep.sleepFor)} is not a duration of up to a year`, 'Write it like 500ms, 90s or 1h30m.');
      return { ...base(sleep.base), kind: 'sleep', ms, duration: sleep.sleepFor };
    }),
    ...events.map((event): DurableCondition => {
      const { userEventKey, eventScope, considerEventsSince } = event;
      if (userEventKey === '' || userEventKey.length > longestKey || userEventKey.includes('\0')) throw invalid(`the wait's event key has ${userEventKey.length} characters`, `Use 1 to ${longestKey}, without NUL.`);
      const scope = eventScope === undefined || eventScope === '' ? null : eventScope.replaceAll('\0', '');
      const expression = event.base?.expression ?? '';
      if (expression !== '') compileCel(expression);
      return { ...base(event.base), kind: 'event', eventKey: userEventKey, scope, expression, sinceMs: scope === null || considerEventsSince === undefined ? null : considerEventsSince.getTime() };
    }),
  ];
}
