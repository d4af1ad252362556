/** What a worker has said of its SDK, as it is stored. */
export type WorkerRuntime = Readonly<Record<string, string>>;

/** What our SDK says of itself, in a field that Hatchet's leaves empty. */
const ours = 'hatchet-ts';

/**
 * Hatchet's TypeScript SDK calls a task before it sends that the task has started: of one whose first statement blocks the
 * event loop it says nothing before the end. All others say it first.
 */
export function beginsUnsaid({ language, extra }: WorkerRuntime): boolean {
  return language === 'TYPESCRIPT' && extra !== ours;
}

/**
 * How long a worker keeps the result of a durable operation for which its code does not wait yet. Go's and Ruby's keep it for
 * ten seconds, by its place in the log, and ask again for what they have forgotten: they may be told in any order, at once.
 * Ours keeps all. Hatchet's TypeScript and Python hand results to their code in the order of delivery, so that one that nobody
 * waits for holds up all after it.
 */
export function forgetsResults({ language }: WorkerRuntime): boolean {
  return language === 'GO' || language === 'RUBY';
}
