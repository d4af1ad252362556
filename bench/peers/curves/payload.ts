import { cpuNames, cpuReadings, panel, sweep, type Curve } from './curve.ts';

const kib = 1_024;
const mib = kib * kib;
/** What is in flight, and what is sent in all, is bounded by these where payloads are large. */
const mostInFlight = 32 * mib;
const mostSent = 256 * mib;

export const payload: Curve = {
  name: 'payload',
  title: 'Size of the input',
  xTitle: 'characters of the input; 500 tasks in flight, or 32 Mi characters',
  async measure(context) {
    const sizes = [0, 100, kib, 10 * kib, 100 * kib, mib];
    const lines = await sweep(
      context,
      sizes,
      (bodyChars) => ({ bodyChars }),
      async (round, size) => {
        const bounded = (most: number, bytes: number): number => Math.min(most, Math.ceil(bytes / Math.max(size, 1)));
        const measured = await round.inFlight({
          until: 'result',
          inFlight: bounded(context.inFlight, mostInFlight),
          warmUp: bounded(context.warmUp, mostSent / 4),
          count: bounded(context.jobs, mostSent),
        });
        return {
          'tasks/s': measured?.perSecond,
          'MB/s': measured && (measured.perSecond * size) / 1e6,
          ...cpuReadings(measured?.cpu),
        };
      },
    );
    return [
      panel('tasks a second', lines, ['tasks/s']),
      panel('megabytes of inputs a second', lines, ['MB/s']),
      panel('CPU a task, µs', lines, cpuNames),
    ];
  },
};
