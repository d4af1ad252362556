import { fillHistory, historyDays, rowsOfRun } from '../ours/history-rows.ts';
import { timeLists } from '../ours/run-lists.ts';
import { formatNumber } from '../statistics.ts';
import { cpuNames, cpuReadings, panel, sweep, type Curve, type CurveContext } from './curve.ts';

const everyMs = 10;

export const history: Curve = {
  name: 'history',
  title: 'Length of the history',
  xTitle: `rows of runs that ended, ${rowsOfRun} of a run, over ${historyDays} days (0: a new database)`,
  async measure(context) {
    const { inFlight, warmUp, jobs } = context;
    const paced = { everyMs, warmUp: jobs / 50, count: jobs / 10 };
    const lines = await sweep(
      context,
      lengths(context),
      () => ({}),
      async (round, rows) => {
        const { url, tokens } = round.target;
        const [token] = tokens ?? [];
        if (token === undefined) throw new Error('there is no tenant');
        if (rows > 0)
          await fillHistory(url, rows, (stored) => console.error(`    ${formatNumber(stored)} rows stored`));
        const full = await round.inFlight({ until: 'result', inFlight, warmUp, count: jobs });
        const start = await round.paced({ until: 'entered', ...paced });
        return {
          'tasks/s': full?.perSecond,
          ...cpuReadings(full?.cpu),
          p50: start?.startMs.p50,
          p99: start?.startMs.p99,
          ...(await timeLists(token)),
        };
      },
    );
    return [
      panel('tasks a second with 500 in flight', lines, ['tasks/s']),
      panel('CPU of such a task, µs', lines, cpuNames),
      panel(`trigger to start at ${1_000 / everyMs} a second, ms`, lines, ['p50', 'p99']),
      panel('first page of all runs, and of those that failed, ms', lines, ['newest', 'failed']),
      panel('first page of those that run, of which there are none, ms', lines, ['running']),
      panel('how many runs have each status, ms', lines, ['counts']),
    ];
  },
};

/** With few rows the days alone are seen: each is a partition of its own. */
function lengths({ historyRows }: CurveContext): number[] {
  const usual = [0, 10_000, 100_000, 1_000_000, 10_000_000];
  return [...usual.filter((rows) => rows < historyRows), historyRows];
}
