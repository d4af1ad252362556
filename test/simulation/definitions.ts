import type { Condition, WorkflowDefinition } from '../../engine/model/definition.ts';
import { stepOf, workflowOf } from '../helpers/planner-world.ts';

const condition = (
  action: Condition['action'],
  group: number,
): Pick<Condition, 'action' | 'group' | 'expression' | 'dataKey'> => ({
  action,
  group,
  expression: '',
  dataKey: 'd',
});

/** Workflows of every kind: retries, a DAG, places, units, batches, conditions, sticky runs, durable tasks. */
export const workflows: readonly WorkflowDefinition[] = [
  workflowOf('single', [
    stepOf('one', { retries: 2, backoffFactor: 2, backoffMaxSeconds: 4, executionTimeoutMs: 25_000 }),
  ]),
  workflowOf('diamond', [
    stepOf('a', { retries: 1 }),
    stepOf('b', { parents: [0], retries: 1, slots: { default: 2 } }),
    stepOf('c', { parents: [0] }),
    stepOf('d', { parents: [1, 2], executionTimeoutMs: 20_000 }),
  ]),
  workflowOf('keyed', [
    stepOf('keyed', {
      retries: 1,
      executionTimeoutMs: 20_000,
      concurrency: [
        {
          expression: 'input.key',
          strategy: 'GROUP_ROUND_ROBIN',
          maxRuns: 1,
          maxRunsExpression: null,
          sharedName: null,
        },
      ],
    }),
  ]),
  workflowOf(
    'newest',
    [stepOf('x', { executionTimeoutMs: 20_000 }), stepOf('y', { parents: [0], executionTimeoutMs: 20_000 })],
    {
      concurrency: [
        {
          expression: 'input.key',
          strategy: 'CANCEL_IN_PROGRESS',
          maxRuns: 1,
          maxRunsExpression: null,
          sharedName: null,
        },
      ],
      sticky: 'SOFT',
    },
  ),
  workflowOf('limited', [
    stepOf('limited', {
      retries: 1,
      executionTimeoutMs: 20_000,
      rateLimits: [
        {
          key: 'api',
          keyExpression: 'input.key',
          units: 1,
          unitsExpression: null,
          limitExpression: '2',
          window: 'MINUTE',
        },
      ],
    }),
  ]),
  workflowOf('gather', [
    stepOf('gather', {
      retries: 1,
      executionTimeoutMs: 20_000,
      batch: { maxSize: 3, maxIntervalMs: 3_000, groupKey: 'input.key', groupMaxRuns: 1, broadcastOutput: false },
    }),
  ]),
  workflowOf(
    'waits',
    [
      stepOf('start', { executionTimeoutMs: 20_000 }),
      stepOf('slept', {
        parents: [0],
        executionTimeoutMs: 20_000,
        conditions: [
          { ...condition('QUEUE', 0), kind: 'sleep', ms: 7_000, duration: '7s' },
          { ...condition('QUEUE', 0), kind: 'event', eventKey: 'go', scope: null },
        ],
      }),
      stepOf('told', {
        parents: [0],
        executionTimeoutMs: 20_000,
        conditions: [
          { ...condition('QUEUE', 0), kind: 'event', eventKey: 'go', scope: null },
          { ...condition('CANCEL', 1), kind: 'event', eventKey: 'stop', scope: null },
        ],
      }),
      stepOf('failed', { executionTimeoutMs: 20_000 }),
    ],
    { onFailure: 3, eventKeys: ['begin'] },
  ),
  workflowOf('durable', [stepOf('durable', { durable: true, retries: 1, executionTimeoutMs: 120_000 })]),
  workflowOf('kid', [stepOf('kid', { executionTimeoutMs: 20_000 })]),
  workflowOf('timed', [stepOf('timed', { executionTimeoutMs: 20_000 })]),
];

export const actions = workflows.flatMap(({ steps }) => steps.map(({ action }) => action));
/** Slots of every worker: a step that needs two finds them anywhere. */
export const leastSlots = 2;
export const eventKeys = ['go', 'stop', 'begin', 'a', 'b'];
