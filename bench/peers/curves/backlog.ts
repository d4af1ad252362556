import { cpuNames, cpuReadings, panel, sweep, type Curve } from './curve.ts';

export const backlog: Curve = {
  name: 'backlog',
  title: 'Length of the queue',
  xTitle: 'tasks that are added in bulk, then drained by one worker',
  async measure(context) {
    const lengths = [1_000, 3_000, 10_000, 30_000, 100_000];
    const lines = await sweep(
      context,
      context.million ? [...lengths, 300_000, 1_000_000] : lengths,
      () => ({}),
      async (round, length) => {
        // Of a thousand tasks in a cold process the compiler would take more than they do.
        await round.drain(2 * context.warmUp);
        const { addPerSecond, drainPerSecond, walBytes, cpu } = await round.drain(length);
        return {
          added: addPerSecond,
          drained: drainPerSecond,
          WAL: walBytes,
          memory: round.engineMegabytes(),
          ...cpuReadings(cpu),
        };
      },
    );
    return [
      panel('tasks a second', lines, ['added', 'drained']),
      panel('CPU a task, µs', lines, cpuNames),
      panel('WAL bytes a task', lines, ['WAL']),
      panel("the engine's resident memory afterwards, MB", lines, ['memory']),
    ];
  },
};
