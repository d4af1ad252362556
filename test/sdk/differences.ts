import { isCluster } from '../helpers/sdk-target.ts';

/** Something that a Hatchet cluster does otherwise than our engine. `docs/guides/cluster.md` shows all of them. */
interface Difference {
  /** What it is about. */
  readonly about: string;
  readonly here: string;
  readonly there: string;
}

/** Every place where the suite expects another thing of a cluster than of our engine. */
export const differences = {
  'live streams': { about: '`runs.subscribeToStream`', here: 'late subscribers hear all from the start', there: 'streams are live: a subscriber hears what is said from then on' },
  'status of open runs': { about: '`runs.getDetails` of a run that is under way', here: 'says which tasks run and which have ended', there: 'can say `QUEUED` for tasks that run or have ended, until the run ends' },
  'failed expressions': { about: 'a key or condition that cannot be evaluated', here: 'the run fails and names the expression', there: 'the run fails with the text of the CEL library' },
  'time zones of crons': { about: '`timezone` and `catchUp` of crons', here: 'ticks go by the time zone, missed ones are made up for', there: 'crons are in UTC, and what was missed is gone: `crons.create` refuses both options with `NOT_SUPPORTED`' },
  'limits of keys': { about: 'concurrency with `maxRuns` as an expression, `isTenantScoped`, `CANCEL_QUEUED_…`', here: 'work', there: 'are not in the contract and would be left out in silence: the registration is refused with `NOT_SUPPORTED`, which names them' },
  'limits put first': { about: 'a static rate limit that nobody has put', here: 'tasks wait until it is put', there: 'the registration is refused with `INVALID_DEFINITION`, which names it' },
  'lost triggers': { about: 'a trigger whose answer is lost on its way', here: 'is made again, and starts one run', there: 'fails with `NO_ANSWER`: the run may have started. `repeatLostTriggers` makes it again, at the risk of two runs' },
} as const satisfies Record<string, Difference>;

/** Whether this run is against a cluster, where the named difference is expected. */
export function differs(difference: keyof typeof differences): boolean {
  return isCluster && difference in differences;
}
