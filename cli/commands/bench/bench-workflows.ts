import {
  ConcurrencyLimitStrategy,
  type Concurrency,
  type CreateTaskOpts,
  type CreateWorkflowVersionRequest,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';

export const benchKinds = ['simple', 'dag', 'chain'] as const;
export type BenchKind = (typeof benchKinds)[number];

const shapes: Readonly<Record<BenchKind, readonly { name: string; parents: readonly string[] }[]>> = {
  simple: [{ name: 'only', parents: [] }],
  dag: [
    { name: 'first', parents: [] },
    { name: 'left', parents: ['first'] },
    { name: 'right', parents: ['first'] },
    { name: 'last', parents: ['left', 'right'] },
  ],
  chain: [{ name: 'only', parents: [] }],
};

/** A key of each run's own: every run is admitted at once, so that what is measured is the judging. */
const uncontended: Concurrency = {
  expression: 'workflow_run_id',
  maxRuns: 1,
  limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
};

const inputSchema = {
  type: 'object',
  properties: { data: { type: 'string' } },
  required: ['data'],
  additionalProperties: false,
};

export interface BenchWorkflow {
  name: string;
  actions: readonly string[];
  tasksPerRun: number;
  /** The task whose arrival at a worker is the start of its run. */
  firstAction: string;
  /** The task whose completion ends its run. */
  lastAction: string;
  registration: CreateWorkflowVersionRequest;
}

export function benchWorkflow(kind: BenchKind): BenchWorkflow {
  const name = `hatchet-bench-${kind}`;
  const shape = shapes[kind];
  const action = (task: string): string => `${name}:${task}`;
  const tasks = shape.map(({ name: task, parents }): CreateTaskOpts => ({
    readableId: task,
    action: action(task),
    timeout: '60s',
    scheduleTimeout: '10m',
    inputs: '{}',
    parents: [...parents],
    retries: 3,
    rateLimits: [],
    workerLabels: {},
    concurrency: kind === 'chain' ? [uncontended] : [],
    isDurable: false,
    slotRequests: { default: 1 },
  }));
  return {
    name,
    actions: shape.map((task) => action(task.name)),
    tasksPerRun: shape.length,
    firstAction: action(shape[0]?.name ?? ''),
    lastAction: action(shape.at(-1)?.name ?? ''),
    registration: {
      name,
      description: 'load of `hatchet bench`',
      version: '',
      eventTriggers: [],
      cronTriggers: [],
      tasks,
      concurrencyArr: kind === 'chain' ? [uncontended] : [],
      defaultFilters: [],
      inputJsonSchema: Buffer.from(JSON.stringify(inputSchema)),
    },
  };
}
