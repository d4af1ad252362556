import type { CelResult } from '../../../cel/cel-result.ts';
import { CelVariables } from '../../../cel/cel-variables.ts';
import { meetEventPage } from '../../conditions/meet-event.ts';
import { stepExpressions } from '../../conditions/step-expressions.ts';
import { meetListeners } from '../../durable/meet-durable-event.ts';
import { firstPlace, type EventWaking } from '../../state/event-wakings.ts';
import type { Plan } from '../../state/plan.ts';
import { mostMet } from '../../state/waking-limits.ts';
import type { Facts } from '../loaded-facts.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** An event meets the next of those that waited for it when it came: as many as fit into one transaction. The engine's own. */
export interface WakeByEventCommand {
  kind: 'wakeByEvent';
  tenantId: TenantId;
  key: string;
  eventId: string;
  /** Tasks that it meets at the most. */
  tasks: number;
  /** The next one is left out: what would come of meeting it is refused whenever it is tried. */
  passesOver?: boolean;
}

export const wakeByEvent: Kind<WakeByEventCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ tenantId, key, eventId, tasks }, { state }) => {
    const waking = state.wakings.first(tenantId, key);
    if (waking?.eventId !== eventId) return {};
    return {
      waking: { waking, tasks },
      expressions: (_, { page }) =>
        page?.event === undefined
          ? []
          : [
              {
                place: eventId,
                expressions:
                  page.from === null
                    ? stepExpressions(state, tenantId, key)
                    : page.listeners.map(({ expression }) => expression).filter((expression) => expression !== ''),
                variables: new CelVariables({ input: page.event.payload }),
              },
            ],
    };
  },
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ tasks }) => tasks,
  split: undefined,
  plan: wake,
};

/** Of a tenant that is being deleted, so many are dropped at once. */
const droppedTogether = 100;

const nothing: ReadonlyMap<string, CelResult> = new Map();

function wake(plan: Plan, command: WakeByEventCommand, facts: Facts): void {
  const { state } = plan;
  const { tenantId, key, eventId, tasks, passesOver = false } = command;
  if (state.closedTenants.has(tenantId)) return drop(plan, command);
  const waking = state.wakings.first(tenantId, key);
  const page = facts.wakingPage;
  if (waking?.eventId !== eventId || page?.eventId !== eventId) return;
  if (page.event === undefined) return end(plan, waking);
  const event = { tenantId, key, ...page.event, evaluated: facts.evaluated.get(eventId) ?? nothing };
  // Another command of the transaction may have met it by now. Where no step waits, durable tasks are read at once.
  if (page.from !== waking.after && (page.from !== firstPlace || waking.after !== null)) return;
  if (page.from === null) {
    const most = Math.min(tasks, mostMet(state.wakingLimits, event.payload));
    if (meetEventPage(plan, event, waking, { most, passesOver })) state.undo.set(waking, 'after', firstPlace);
    return;
  }
  if (!passesOver) meetListeners(plan, event, page.listeners);
  if (page.next === null) end(plan, waking);
  else state.undo.set(waking, 'after', page.next);
}

function end({ state, changes }: Plan, waking: EventWaking): void {
  state.wakings.removeFirst(waking, state.undo);
  changes.wakingDeletes.push({ shard: state.id, seq: waking.seq });
}

function drop(plan: Plan, { tenantId, key }: WakeByEventCommand): void {
  for (let n = 0; n < droppedTogether; n++) {
    const first = plan.state.wakings.first(tenantId, key);
    if (first === undefined) return;
    end(plan, first);
  }
}
