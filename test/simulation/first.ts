import { historyOf } from './moves.ts';
import { simulate } from './shrink.ts';
let rejected: unknown;
process.on('unhandledRejection', (e) => {
  rejected ??= e;
});
const most = Number(process.argv[2]);
const from = Number(process.argv[3] ?? 1);
let seed = from;
for (; seed < from + most; seed++) {
  const outcome = await simulate(historyOf(seed));
  if (outcome.violation !== undefined || rejected !== undefined) {
    console.log(`seed ${seed}: ${outcome.violation ?? String(rejected)}`);
    process.exit(0);
  }
}
console.log(`none of ${most}`);
