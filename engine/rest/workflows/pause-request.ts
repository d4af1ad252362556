import type { Workflow } from '../../../proto/gen/rest/answers.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { duration } from '../../edge/parse/time.ts';
import { formatDuration } from '../../model/time/duration.ts';
import type { Checked } from '../../model/checked.ts';
import { isObject } from '../../model/payload/is-object.ts';
import { waitingPause, type PauseRules } from '../../model/pause-rules.ts';

/** What a request makes of a workflow: paused with these rules, or not paused. */
export interface WantedPause {
  paused: boolean;
  rules: Readonly<PauseRules> & { queueTtlMs: Checked<number> | null };
}

const waits = { ...waitingPause, queueTtlMs: null };

/**
 * `{"pause": {"action": "pause", …}}`, or `{"isPaused": true}` as older clients send it. A rule that is left out is the one by
 * which everything waits. @throws HatchetError INVALID_ARGUMENT
 */
export function wantedPause(body: Record<string, unknown>): WantedPause {
  const { pause, isPaused } = body;
  const action = isObject(pause) ? pause['action'] : undefined;
  if (isObject(pause) && action === 'pause') return { paused: true, rules: pauseRules(pause) };
  if (action === 'unpause') return { paused: false, rules: waits };
  if (action === undefined && typeof isPaused === 'boolean') return { paused: isPaused, rules: waits };
  throw invalid(
    'the body does not say whether to pause',
    'Send {"pause": {"action": "pause"}} or {"pause": {"action": "unpause"}}.',
  );
}

function pauseRules(pause: Record<string, unknown>): WantedPause['rules'] {
  return {
    dropsCrons: isDrop(pause, 'pausedWorkflowCronRunQueueBehavior'),
    dropsSchedules: isDrop(pause, 'pausedWorkflowScheduledRunQueueBehavior'),
    queueTtlMs: queueTtl(pause['pausedWorkflowQueueTTL']),
  };
}

function isDrop(pause: Record<string, unknown>, name: string): boolean {
  const value = pause[name] ?? 'QUEUE';
  if (value !== 'DROP' && value !== 'QUEUE')
    throw invalid(`${name} is neither DROP nor QUEUE`, 'Send "DROP" or "QUEUE", or leave it out: QUEUE.');
  return value === 'DROP';
}

function queueTtl(value: unknown): Checked<number> | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string')
    throw invalid(
      'pausedWorkflowQueueTTL is not a text',
      'Send a duration such as "30m", or leave it out: tasks wait.',
    );
  return duration(value, 'pausedWorkflowQueueTTL', { least: 1 });
}

type ShownPause = Pick<
  Workflow,
  'pausedWorkflowCronRunQueueBehavior' | 'pausedWorkflowScheduledRunQueueBehavior' | 'pausedWorkflowQueueTTL'
>;

/** As a workflow shows its pause; nothing where there is none. */
export function pauseMessage({ paused, rules }: { paused: boolean; rules: PauseRules }): ShownPause {
  if (!paused) return {};
  return {
    pausedWorkflowCronRunQueueBehavior: rules.dropsCrons ? 'DROP' : 'QUEUE',
    pausedWorkflowScheduledRunQueueBehavior: rules.dropsSchedules ? 'DROP' : 'QUEUE',
    pausedWorkflowQueueTTL: rules.queueTtlMs === null ? undefined : formatDuration(rules.queueTtlMs),
  };
}
