import { keyScope, usedAt } from '../../../monitor/queue-rows.ts';
import { ageText, timeText, untilText } from '../../../output/time-text.ts';
import type { ListItem } from './list-items.ts';

/** What a list says of its selected row beneath it. */
export interface ItemDetails {
  title: string;
  /** At most two. */
  lines: readonly string[];
  /** What can be done with it. */
  hints: string;
}

export function itemDetails(item: ListItem, nowMs: number): ItemDetails {
  switch (item.kind) {
    case 'workflow': {
      const { name, description, paused, workflowId } = item.row;
      return {
        title: name,
        lines: [
          ...(paused
            ? ['Paused: its queued tasks wait, its running ones finish.']
            : description === ''
              ? []
              : [description]),
          `id ${workflowId}`,
        ],
        hints: `p ${paused ? 'resumes' : 'pauses'} it  t triggers it  enter shows its runs`,
      };
    }
    case 'worker': {
      const { name, workerId, actions, sdk, slots } = item.row;
      const used = slots.map((slot) => `${slot.used}/${slot.total} ${slot.type}`).join(', ');
      return {
        title: `${name}  ${workerId}`,
        lines: [`slots ${used}  ${sdk}`, `runs ${actions.join(', ')}`],
        hints: 'y copies its id',
      };
    }
    case 'queue':
      return {
        title: item.row.action,
        lines: queueLines(nowMs, item.row),
        hints: 'enter shows what is queued  t triggers its workflow',
      };
    case 'key': {
      const { key, strategy, held, maxRuns, waiting } = item.row;
      return {
        title: `key ${key}`,
        lines: [
          `of ${keyScope(item.row)}, ${strategy}`,
          `${held} of ${maxRuns} places are taken, ${waiting} ${waiting === 1 ? 'waits' : 'wait'} for one`,
        ],
        hints: 'enter shows the runs of its workflow  y copies the key',
      };
    }
    case 'limit': {
      const { key, limit, window, refillAt, waiting, tooLarge, isStatic } = item.row;
      const refill =
        refillAt === null
          ? 'not used yet'
          : Date.parse(refillAt) <= nowMs
            ? 'its window is over: full again'
            : `refills ${untilText(refillAt, nowMs)}`;
      const never =
        tooLarge === 0 ? '' : `; ${tooLarge} ask more than it ever holds and wait until their schedule timeout`;
      return {
        title: `rate limit ${key}`,
        lines: [
          `${usedAt(item.row, nowMs)} of ${limit} units of this ${window.toLowerCase()} are used, ${refill}${isStatic ? '' : ' (sized by its tasks)'}`,
          `${waiting} ${waiting === 1 ? 'task waits' : 'tasks wait'} for units${never}`,
        ],
        hints: 'y copies the key',
      };
    }
    case 'cron': {
      const {
        name,
        workflow,
        expression,
        timezone,
        catchUp,
        enabled,
        isDeclared,
        nextAt,
        lastAt,
        lastRunId,
        lastError,
      } = item.row;
      const next = !enabled
        ? 'switched off'
        : nextAt === undefined
          ? 'switched on'
          : nextAt === null
            ? 'never comes due again'
            : `next ${timeText(nextAt)}`;
      const missed = catchUp === '' ? '' : `missed ticks: ${catchUp}, `;
      const last =
        nextAt === undefined
          ? 'This engine does not tell when it comes next, nor when it came last.'
          : lastError === null
            ? lastRunId === null
              ? 'no run yet'
              : `last ${timeText(lastAt)} made run ${lastRunId}`
            : `the last tick made no run: ${lastError}`;
      const remove = isDeclared ? '' : '  x deletes it';
      return {
        title: `${name === expression ? '' : `${name}  `}${expression} ${timezone}  runs ${workflow}`,
        lines: [`${next}, ${missed}${isDeclared ? 'declared by its workflow' : 'made by the API'}`, last],
        hints: `p switches it ${enabled ? 'off' : 'on'}  n runs it now${remove}${lastRunId === null ? '' : '  enter opens its last run'}`,
      };
    }
    case 'schedule': {
      const { scheduleId, workflow, dueAt } = item.row;
      return {
        title: `${workflow} at ${timeText(dueAt)}`,
        lines: [`${untilText(dueAt, nowMs)}  id ${scheduleId}`],
        hints: 'n runs it now  x deletes it  y copies its id',
      };
    }
  }
}

function queueLines(
  nowMs: number,
  {
    queued,
    running,
    delayed,
    waitingForPlace,
    waitingForUnits,
    waitingForBatch,
    workers,
    oldestQueuedAt,
  }: Extract<ListItem, { kind: 'queue' }>['row'],
): string[] {
  const waits = [
    `${waitingForPlace} wait for a key`,
    `${waitingForUnits} for units`,
    `${waitingForBatch} for a batch`,
    `${delayed} for a retry`,
  ].join(', ');
  const lacks =
    workers === 0 ? 'no connected worker takes it' : `${workers} ${workers === 1 ? 'worker takes' : 'workers take'} it`;
  return [
    `${queued} queued${oldestQueuedAt === null ? '' : ` for up to ${ageText(oldestQueuedAt, nowMs)}`}, ${running} running, ${lacks}`,
    waits,
  ];
}
