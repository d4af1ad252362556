import { historyOf } from './moves.ts';
import { World } from './world.ts';

const [from = '1', count = '1', faults = '1', verbose = ''] = process.argv.slice(2);
process.on('unhandledRejection', (error) => {
  console.log('UNHANDLED', error);
});
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const startedAt = performance.now();
  const world = new World(historyOf(seed, Number(faults)), { keepLines: verbose !== '' });
  const outcome = await world.run();
  if (verbose !== '') for (const line of outcome.lines) console.log(line);
  console.log(
    `${seed} ${Math.round(performance.now() - startedAt)} ms, ${outcome.steps} steps, ${Math.round(outcome.simulatedMs / 1000)} s, ${outcome.runs} runs, ${outcome.trace.slice(0, 8)} ${outcome.violation ?? 'ok'}`,
  );
}
