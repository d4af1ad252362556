/** The jobs of a round as tasks of this project's SDK. */
import type * as Sdk from '../../../sdk/index.ts';
import type { Job, Shape } from '../contestant.ts';

/** Jobs of one key that may run at once: more than are in flight, so that a key holds up none. */
const roomOfKey = 1_000;

type Input = Job & { key?: string };

export interface BenchJobs {
  /** For a worker. */
  runnable: Sdk.Runnable;
  addMany(jobs: readonly Job[]): Promise<void>;
  add(job: Job): Promise<void>;
  addAndWait(job: Job): Promise<void>;
}

/** @param entered called by the task, or by the last step of its flow */
export function declareJobs(hatchet: Sdk.Hatchet, shape: Shape, entered: (i: number) => void): BenchJobs {
  const { flow, keys } = shape;
  const input = ({ i, body }: Job): Input => ({ i, body, ...(keys === 0 ? {} : { key: String(i % keys) }) });
  const callsOf = <Output>(declared: Sdk.Declaration<Input, Output>): BenchJobs => ({
    runnable: declared,
    async addMany(jobs) {
      await declared.runNoWait(jobs.map(input));
    },
    async add(job) {
      await declared.runNoWait(input(job));
    },
    async addAndWait(job) {
      await declared.run(input(job));
    },
  });
  if (flow === 'dag') return callsOf(declareDag(hatchet, shape.steps, entered));
  if (flow === 'durable') return callsOf(declareDurable(hatchet, shape.steps, entered));
  const places = { expression: 'input.key', maxRuns: roomOfKey, limitStrategy: 'GROUP_ROUND_ROBIN' } as const;
  return callsOf(
    hatchet.task({
      name: 'noop',
      ...(keys === 0 ? {} : { concurrency: places }),
      fn: ({ i }: Input) => {
        entered(i);
        return {};
      },
    }),
  );
}

/** Each task waits for all of the row before it. */
function declareDag(hatchet: Sdk.Hatchet, steps: readonly number[], entered: (i: number) => void) {
  const dag = hatchet.workflow<Input>({ name: 'dag' });
  let parents: Sdk.TaskRef<unknown>[] = [];
  for (const [row, width] of steps.entries()) {
    const isLast = row === steps.length - 1;
    const before = parents;
    parents = Array.from({ length: width }, (_, place) =>
      dag.task({
        name: `s${row}-${place}`,
        parents: before,
        fn: ({ i }) => {
          if (isLast) entered(i);
          return {};
        },
      }),
    );
  }
  return dag;
}

/**
 * Memos, each stored before the next begins; those of a row are asked for together. The tasks keep their slots: by default they
 * leave for others once they have waited for 0.1 s, which storing the memos of 500 at once may take on a busy machine.
 */
function declareDurable(hatchet: Sdk.Hatchet, steps: readonly number[], entered: (i: number) => void) {
  return hatchet.durableTask({
    name: 'durable',
    executionTimeout: '10m',
    evictionPolicy: { allowCapacityEviction: false },
    fn: async ({ i }: Input, ctx) => {
      for (const [row, width] of steps.entries())
        await Promise.all(Array.from({ length: width }, (_, place) => ctx.memo([row, place], () => null)));
      entered(i);
      return {};
    },
  });
}
