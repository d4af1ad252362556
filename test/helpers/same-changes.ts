import { isRunTransition } from '../../engine/model/task/transition.ts';
import type { HistoryRow } from '../../engine/model/stored-rows.ts';
import type { ChangeSet } from '../../engine/plan/state/change-set.ts';

/** Follows from which of several equal workers got which task: whose turn it is moves on, also by a transaction that is taken back. */
const ofAssignments: ReadonlySet<string> = new Set([
  'history',
  'effects',
  'liveInserts',
  'liveUpdates',
  'liveDeletes',
  'rateLimits',
  'stickies',
]);
/** From the shard's sequence, which never goes back. */
const ofSequence: ReadonlySet<string> = new Set(['seq', 'sinceSeq', 'batchId']);

/** What a transaction would write, as text: what is taken back goes from the changes too. */
export interface Written {
  readonly assignments: string;
  /** By table. */
  readonly rows: ReadonlyMap<string, string>;
}

export function writtenBy(changes: ChangeSet): Written {
  return { assignments: assignmentsOf(changes), rows: rowsOf(changes) };
}

/** In what two plans of one transaction from the same state differ, though nothing but turns and the sequence may have moved. */
export function differenceOf(first: Written, second: Written): string | undefined {
  const areSame = first.assignments === second.assignments;
  for (const [table, rows] of first.rows) {
    if (!areSame && ofAssignments.has(table)) continue;
    const others = second.rows.get(table);
    if (rows !== others) return `${table} ${rows} is ${others}`;
  }
  return undefined;
}

/** Who got which task, and who was made to wait for units. */
function assignmentsOf({ effects, history }: ChangeSet): string {
  const given = effects.flatMap((effect): string[] => {
    if (effect.kind === 'dispatch') return [`${effect.taskId} ${effect.workerId}`];
    return effect.kind === 'dispatchBatch' ? effect.members.map((each) => `${each.taskId} ${each.workerId}`) : [];
  });
  const waiting = history.filter(({ transitions }) => transitions.includes('REQUEUED_RATE_LIMIT'));
  return [...given, ...waiting.map(({ taskId }) => taskId)].sort().join();
}

/** By table, what is to be written, in an order that is not that of the turns. */
function rowsOf(changes: ChangeSet): Map<string, string> {
  const lists: [string, unknown][] = Object.entries(changes);
  const comparable = (rows: unknown): unknown =>
    rows === changes.history ? changes.history.flatMap(transitionsOf) : rows;
  return new Map(
    lists.flatMap(([table, list]) => {
      const rows = comparable(list);
      return Array.isArray(rows) ? [[table, rows.map(textOf).sort().join()] as const] : [];
    }),
  );
}

/** Who runs it is compared with the assignments. The end of a run is told with the task that ended last, and a cancel with the reason that came first: of several at once, any. */
function transitionsOf({ taskId, runId, attempt, transitions }: HistoryRow): string[] {
  return transitions.map((each) => (isRunTransition(each) ? `${runId} ${each}` : `${taskId} ${attempt} ${each}`));
}

function textOf(row: unknown): string {
  const text = JSON.stringify(row, (key, value: unknown) => (ofSequence.has(key) ? undefined : value));
  return text.replaceAll(/\\"order\\":\d+/g, '');
}
