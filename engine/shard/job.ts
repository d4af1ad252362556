import {
  kindOf,
  planCommand,
  type Command,
  type CommandByKind,
  type CommandKind,
  type ReplyByKind,
} from '../plan/commands/command.ts';
import type { Facts } from '../plan/commands/loaded-facts.ts';
import type { Plan } from '../plan/state/plan.ts';
import type { LogPart } from './facts/stored-durable-logs.ts';
import { JobExpressions } from './facts/job-expressions.ts';
import type { JobPayloads } from './job-payloads.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface FirstSeen {
  /** Of the runs that are to run again, by run. */
  generations?: ReadonlyMap<string, number>;
  /** Of the durable task that is to branch. */
  newestBranch?: number;
}

/** A command on its way through a shard's mailbox. */
export interface Job {
  readonly shard: number;
  /** Undefined for what speaks of a shard alone, as a tick does. */
  readonly tenantId: TenantId | undefined;
  readonly command: Command;
  readonly payloads: JobPayloads;
  /** About how many it writes. */
  readonly rows: number;
  readonly queuedAtMs: number;
  /** An earlier try may have committed: look for its ids before planning it again. */
  mayBeDone: boolean;
  /** An earlier try of this process may have committed, and it does not know. */
  isFateUnknown: boolean;
  /** What was stored when it was looked at before any try that may have committed: what has moved on since is done. */
  firstSeen?: FirstSeen;
  /** Of durable tasks: logs that it needs, and that are too long to be read on the lane. */
  longLogs: readonly LogPart[];
  /** Made with the first that is too dear for the lane. */
  expressions?: JobExpressions;
  /** Plans the command. @returns answers the caller; to be called after the commit */
  run(plan: Plan, facts: Facts): () => void;
  reject(error: Error): void;
}

export function expressionsOf(job: Job): JobExpressions {
  return (job.expressions ??= new JobExpressions());
}

const noLogs: readonly LogPart[] = [];

/** A command that has just come. */
export function jobOf<K extends CommandKind>(
  given: {
    shard: number;
    command: CommandByKind[K] & { kind: K };
    payloads: JobPayloads;
  },
  {
    queuedAtMs,
    answer,
    reject,
  }: { queuedAtMs: number; answer: (reply: ReplyByKind[K]) => void; reject: (error: Error) => void },
): Job {
  const { shard, command, payloads } = given;
  return {
    shard,
    command,
    payloads,
    queuedAtMs,
    tenantId: 'tenantId' in command ? command.tenantId : undefined,
    rows: kindOf<K>(command).weight(command),
    mayBeDone: false,
    isFateUnknown: false,
    longLogs: noLogs,
    run: (plan, facts) => {
      const reply = planCommand<K>(plan, command, facts);
      return () => answer(reply);
    },
    reject,
  };
}
