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
} as const satisfies Record<string, Difference>;

/** Whether this run is against a cluster, where the named difference is expected. */
export function differs(difference: keyof typeof differences): boolean {
  return isCluster && difference in differences;
}
