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
