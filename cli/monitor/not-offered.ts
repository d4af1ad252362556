import { CliError } from '../cli-error.ts';

/** What our monitoring service gives and the REST API of the contract does not, with what there is in its place. */
const instead = {
  why: 'Use `hatchet runs events <run>`: it shows what became of each task, such as REQUEUED_RATE_LIMIT, and `hatchet workers list` whether a worker has room',
  queues: 'Use `hatchet runs list --status QUEUED` for what waits, `hatchet workers list` for slots and `hatchet rate-limits list` for units',
  skip: 'Use `hatchet runs branch <run> --node <n>` to start the task again from a node of its log',
  restore: 'Use `hatchet runs cancel <run>` and `hatchet runs replay <run>` to start it anew',
  audit: 'Look into the audit log of the cluster',
  bench: 'Run it on an engine of `hatchet engine start`',
} as const;

export type Offer = keyof typeof instead;

/** A command that this engine cannot serve. Scripts know it by its code. */
export class NotOffered extends CliError {
  readonly code = 'NOT_SUPPORTED';

  constructor(what: Offer, subject: string, cause?: unknown) {
    super(`${subject} needs the monitoring service of a hatchet-ts engine, which this engine does not have (NOT_SUPPORTED)`, { remedy: instead[what], cause });
  }
}
