import { CommandOrder } from './command-order.ts';
import type { Job } from './job.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * A transaction was refused for what is in it: its halves are run one after the other, and halved again as they are refused, until
 * the guilty command stands alone and fails alone. Of the second half, what must not overtake a command of the first that was
 * put back goes back behind it.
 */
export async function runHalves(
  jobs: readonly Job[],
  { mailbox, run }: { mailbox: Pick<Mailbox, 'takeOut' | 'putBack'>; run: (half: readonly Job[]) => Promise<void> },
): Promise<void> {
  const half = Math.ceil(jobs.length / 2);
  const first = jobs.slice(0, half);
  const second = jobs.slice(half);
  await run(first);
  const waiting = mailbox.takeOut(new Set(first));
  const order = new CommandOrder();
  for (const job of waiting) order.hold(job);
  mailbox.putBack([...waiting, ...second.filter((job) => order.isBehind(job))]);
  await run(second.filter((job) => !order.isBehind(job)));
}
