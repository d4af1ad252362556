import type { Command } from '../plan/command.ts';
import type { Plan } from '../plan/plan.ts';
import { JobExpressions } from './job-expressions.ts';

/** A command on its way through a shard's mailbox. */
export interface Job {
  readonly shard: number;
  readonly command: Command;
  /** Characters of payload, for the batch's size limit. */
  readonly size: number;
  readonly queuedAtMs: number;
  /** An earlier try may have committed: look for its ids before planning it again. */
  mayBeDone: boolean;
  /** Made with the first that is too dear for the lane. */
  expressions?: JobExpressions;
  /** Plans the command. @returns answers the caller; to be called after the commit */
  run(plan: Plan): () => void;
  reject(error: Error): void;
}

export function expressionsOf(job: Job): JobExpressions {
  return (job.expressions ??= new JobExpressions());
}

export function payloadSize(command: Command): number {
  switch (command.kind) {
    case 'trigger':
      return sumOf(command.runs, runSize);
    case 'pushEvent':
      return sumOf(command.events, (event) => event.payload.length + event.metadata.length + sumOf(event.runs, ({ run }) => runSize(run)));
    case 'putSchedules':
      return sumOf(command.schedules, inputSize);
    case 'putCron':
      return inputSize(command.cron);
    case 'putWorkflow':
      return sumOf(command.crons, inputSize);
    case 'completed':
      return command.output.length;
    case 'failed':
      return command.error.length;
    case 'batchReport':
      return sumOf(command.items, (item) => (item.event === 'completed' ? item.output.length : item.event === 'failed' ? item.error.length : 0));
    case 'durableMemo':
      return command.payload.length;
    case 'durableAsk':
      return command.ask.kind === 'children' ? sumOf(command.ask.children, ({ run }) => runSize(run)) : command.ask.kind === 'memo' ? (command.ask.payload?.length ?? 0) : 0;
    default:
      return 0;
  }
}

function sumOf<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((sum, item) => sum + size(item), 0);
}

function inputSize({ input, metadata }: { input: string; metadata: string }): number {
  return input.length + metadata.length;
}

function runSize(run: { input: string; metadata: string; filterPayload: string | null }): number {
  return inputSize(run) + (run.filterPayload?.length ?? 0);
}

/** The ids that must be looked for before a trigger is planned: those that its caller chose, or all after an uncertain try. */
export function idsToProbe(job: Job): string[] {
  if (job.command.kind === 'fireTimer') return job.mayBeDone && job.command.run !== null ? [job.command.run.runId] : [];
  if (job.command.kind !== 'trigger') return [];
  return job.command.runs.filter((run) => run.ownId || job.mayBeDone).map((run) => run.runId);
}

/** Events' ids are the engine's own: only an uncertain try can have stored them. */
export function eventIdsToProbe(job: Job): string[] {
  return job.command.kind === 'pushEvent' && job.mayBeDone ? job.command.events.map((event) => event.id) : [];
}
