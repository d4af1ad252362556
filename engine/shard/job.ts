import type { Command } from '../plan/commands/command.ts';
import type { Plan } from '../plan/state/plan.ts';
import { JobExpressions } from './job-expressions.ts';
import type { JobPayloads } from './job-payloads.ts';

/** A command on its way through a shard's mailbox. */
export interface Job {
  readonly shard: number;
  readonly command: Command;
  readonly payloads: JobPayloads;
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

/** The ids that must be looked for before a trigger is planned: those that its caller chose, or all after an uncertain try. */
export function idsToProbe(job: Job): string[] {
  if (job.command.kind === 'fireTimer') return job.mayBeDone && job.command.run !== null ? [job.command.run.runId] : [];
  if (job.command.kind !== 'trigger') return [];
  return job.command.runs.filter((run) => run.ownId || job.mayBeDone).map((run) => run.runId);
}

/** What earlier attempts of a parent may have started. */
export function earlierChildren(job: Job): readonly string[] {
  return job.command.kind === 'trigger' ? job.command.runs.flatMap((run) => run.earlierIds) : [];
}

/** Events' ids are the engine's own: only an uncertain try can have stored them. */
export function eventIdsToProbe(job: Job): string[] {
  return job.command.kind === 'pushEvent' && job.mayBeDone ? job.command.events.map((event) => event.id) : [];
}
