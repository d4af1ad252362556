import { CliError } from '../cli-error.ts';

/** What our monitoring service gives and the REST API of the contract does not, with what there is in its place. */
const instead = {
  why: 'Use `hatchet runs events <run>`: it shows what became of each task, such as REQUEUED_RATE_LIMIT, and `hatchet workers list` whether a worker has room',
  queues:
    'Use `hatchet runs list --status QUEUED` for what waits, `hatchet workers list` for slots and `hatchet rate-limits list` for units',
  skip: 'Use `hatchet runs branch <run> --node <n>` to start the task again from a node of its log',
  audit: 'Use what the page of the cluster shows',
  page: 'Use the page of the cluster itself',
} as const;

const does = {
  why: 'tells what a run waits for',
  queues: 'tells what waits in its queues',
  skip: 'skips a sleep',
  audit: 'gives its audit log to tokens',
  page: 'makes links to its page',
} as const satisfies Record<keyof typeof instead, string>;

export type Offer = keyof typeof instead;

/** A command that this engine cannot serve. Scripts know it by its code. */
export class NotOffered extends CliError {
  readonly code = 'NOT_SUPPORTED';

  constructor(what: Offer, cause?: unknown) {
    super(`only a hatchet-ts engine ${does[what]}, and this one is none (NOT_SUPPORTED)`, {
      remedy: instead[what],
      cause,
    });
  }
}
