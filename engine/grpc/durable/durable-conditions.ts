import { bound } from '../../edge/parse/time.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import type { DurableCondition } from '../../model/durable/durable.ts';
import type { DurableEventListenerConditions } from '../../../proto/gen/hatchet/contract/v1/condition.ts';
import { ConditionChecks, mostConditions } from '../definition/condition-checks.ts';

/** What a durable wait waits for. @throws HatchetError INVALID_ARGUMENT */
export function readDurableConditions(
  request: DurableEventListenerConditions | undefined,
): Checked<DurableCondition>[] {
  const sleeps = request?.sleepConditions ?? [];
  const events = request?.userEventConditions ?? [];
  const count = sleeps.length + events.length;
  if (count === 0 || count > mostConditions)
    throw invalid(`the wait has ${count} conditions`, `Give it 1 to ${mostConditions}.`);
  const checks = new ConditionChecks('of the wait');
  return [
    ...sleeps.map((sleep): Checked<DurableCondition> =>
      markChecked({ ...checks.base(sleep.base), ...checks.sleep(sleep) }),
    ),
    ...events.map((wire): Checked<DurableCondition> => {
      const event = checks.event(wire);
      const since = event.scope === null ? undefined : wire.considerEventsSince;
      return markChecked({
        ...checks.base(wire.base),
        ...event,
        expression: checks.expression(wire.base),
        sinceMs: since === undefined ? null : bound(since, 'the time since which events count'),
      });
    }),
  ];
}
