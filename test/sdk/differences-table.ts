/** Something that a Hatchet cluster does otherwise than our engine. `docs/guides/cluster.md` shows all of them. */
interface Difference {
  /** What it is about. */
  readonly about: string;
  readonly here: string;
  readonly there: string;
}

/** Every place where the suite expects another thing of a cluster than of our engine. */
export const differences = {
  'live streams': {
    about: '`runs.subscribeToStream`',
    here: 'late subscribers hear all from the start',
    there: 'streams are live: a subscriber hears what is said from then on',
  },
  'failed expressions': {
    about: 'a key or condition that cannot be evaluated',
    here: 'the run fails and names the expression',
    there: 'the run fails with the text of the CEL library',
  },
  'time zones of crons': {
    about: '`timezone` and `catchUp` of crons',
    here: 'ticks go by the time zone, missed ones are made up for',
    there: 'crons are in UTC, and what was missed is gone: `crons.create` refuses both options with `NOT_SUPPORTED`',
  },
  'limits of keys': {
    about: 'concurrency with `maxRuns` as an expression, `isTenantScoped`, `CANCEL_QUEUED_…`',
    here: 'work',
    there:
      'are not in the contract and would be left out in silence: the registration is refused with `NOT_SUPPORTED`, which names them',
  },
  'limits put first': {
    about: 'a static rate limit that nobody has put',
    here: 'tasks wait until it is put',
    there: 'the registration is refused with `INVALID_DEFINITION`, which names it',
  },
  'lost triggers': {
    about: 'a trigger whose answer is lost on its way',
    here: 'is made again, and starts one run',
    there:
      'fails with `NO_ANSWER`: the run may have started. `repeatLostTriggers` makes it again, at the risk of two runs',
  },
  'turns of sleeps': {
    about: 'sleeps of one durable task that end within the same second',
    here: 'end in the order of their times',
    there: 'can end in the order in which they were begun; a replay takes the same order',
  },
  'dropped patches': {
    about: '`ctx.patched`, once its call is dropped from the code',
    here: 'logs that hold its answer go on without it',
    there: 'such a log no longer fits: keep the call for as long as a run is older',
  },
  'words of a mismatch': {
    about: 'a durable task whose code does not fit its log',
    here: 'the error says what the log has and what was asked for',
    there: "the error has the cluster's words",
  },
  'continuing one of several': {
    about: '`ctx.continueAsNew`',
    here: 'starts the task again in its run, with an empty log',
    there:
      'runs the workflow as a child, for which this run waits; of one of several tasks it is refused with `NOT_SUPPORTED`',
  },
  'held keys of children': {
    about: 'a durable child whose idempotency key another run holds',
    here: 'fails with `IDEMPOTENCY_COLLISION`, which names that run',
    there: 'is not started, and nothing is said: after 30 s it fails with `UNKNOWN_RUN`',
  },
} as const satisfies Record<string, Difference>;
