import type { WorkflowDefinition, StepDefinition } from '../../engine/model/definition.ts';
import type { Demands } from '../../engine/model/task/demands.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';

/** Where a task of the model is. Names, not numbers: the model shares no vocabulary with the planner. */
export type Where =
  | 'waits for its parents'
  | 'ready'
  | 'gathers'
  | 'out of units'
  | 'backs off'
  | 'runs'
  | 'is being told to stop'
  | 'gone';

export interface ModelWorkflow {
  id: string;
  definition: WorkflowDefinition;
}

/** One task in its newest generation. */
export interface ModelTask {
  readonly id: string;
  readonly run: ModelRun;
  readonly index: number;
  readonly step: StepDefinition;
  generation: number;
  where: Where;
  attempt: number;
  retries: number;
  reassigns: number;
  /** Workers that died under it. */
  deaths: number;
  /** Workers that left it unanswered. */
  unanswered: number;
  /** When time moves it; 0 for never. */
  due: number;
  /** In which order it became ready last. */
  turn: number;
  /** Retries and reassignments go first. */
  first: boolean;
  worker: ModelWorker | null;
  /** The batch that it runs in. */
  batch: string | null;
  /** When it joined those that wait for a batch. */
  joined: number;
  /** In which order it was assigned. */
  assigned: number;
  started: boolean;
  slotReleased: boolean;
  /** Its timeout has come once before it had started. */
  prolonged: boolean;
  /** What follows once its worker was told to stop. */
  afterStop: 'retry' | 'reassign' | 'elsewhere' | 'end';
  demands: Demands | null;
  /** Order of the trigger that it came with. */
  order: number;
  /** Null until it has ended in this generation. */
  outcome: Outcome | null;
  runRequest: ModelPlaceRequest | null;
  request: ModelPlaceRequest | null;
  /** Has its places, its own and its run's. */
  admitted: boolean;
  /** Stands in its action's queue. */
  queued: boolean;
  /** The key whose line it stands in. */
  inLine: ModelKey | null;
  stickyWorker: string | null;
  /** Of a batch step and out of units: the rate limit that it waits for, and whether it asks more than a full window holds. */
  limitedBy: { limit: ModelLimit; tooLarge: boolean } | null;
  /** When its sleeps and events began to count. */
  since: number;
  /** Order in which tasks began to listen for events; 0 for one that does not. */
  listening: number;
  /** By condition: met, can no longer be met, or open. */
  conditions: (boolean | null)[];
}

export interface Outcome {
  status: 'completed' | 'failed' | 'cancelled' | 'skipped';
  output: string | null;
}

export interface ModelRun {
  readonly id: string;
  readonly workflow: ModelWorkflow;
  readonly priority: number;
  /** A replay's expressions give them again. */
  readonly demands: readonly StepDemands[] | null;
  generation: number;
  readonly tasks: ModelTask[];
  /** For its workflow's links, in this generation. */
  request: ModelPlaceRequest | null;
  ended: boolean;
  /** The batch that ended or reopened it: no replay of the same batch can have seen its results. */
  endedAt: number;
}

/** Asks for places as one: a task, or a run for its workflow's links. */
export interface ModelPlaceRequest {
  readonly ofRun: boolean;
  readonly keys: ModelKey[];
  readonly priority: number;
  /** Order of the triggers. */
  readonly order: number;
  readonly tasks: ModelTask[];
  arrived: boolean;
  held: boolean;
}

/** One key of one concurrency strategy. */
export interface ModelKey {
  readonly name: string;
  strategy: string;
  maxRuns: number;
}

export interface ModelWorker {
  readonly id: string;
  readonly actions: readonly string[];
  readonly slots: number;
  labels: ReadonlyMap<string, string | number>;
  present: boolean;
  /** It has left a task unanswered, and said nothing since. */
  blocked: boolean;
  /** Since when no time passes for its tasks; 0 while it is connected. */
  awaySince: number;
  paused: boolean;
  left: boolean;
}

export interface ModelLimit {
  readonly key: string;
  /** Units of a full window, from the next refill on. */
  limit: number;
  windowUs: number;
  /** Units of the present window. */
  windowLimit: number;
  windowStart: number;
  used: number;
  isStatic: boolean;
}

/** Which task went where, and which had to wait for units: the choices in which the planner is free. */
export type Decision =
  | { taskId: string; workerId: string; batchId: string | null; limitKey?: undefined }
  | { taskId: string; workerId: null; batchId: null; limitKey: string };

/**
 * How far the planner has come with what its transactions led to. Where the budget cuts it off is its choice; what comes
 * before the cut, and that all is done in the end, is not.
 */
export interface Progress {
  /** Nobody waits for a verdict any more, and no free place for being given away. */
  readonly isAdmitted: boolean;
  /** Nothing more can be given to workers. */
  readonly isAssigned: boolean;
  /** The task became ready, and was not judged yet. */
  awaitsVerdict(taskId: string): boolean;
  /** The task stands in line for the key. */
  standsFor(taskId: string, key: string): boolean;
  /** The task has ended, in this generation. */
  hasEnded(taskId: string, generation: number): boolean;
}

/** What the parts of the model see of it. */
export interface ModelView {
  readonly now: number;
  /** When time was last looked at. */
  readonly lastTick: number;
  /** Those that are not gone. */
  readonly tasks: readonly ModelTask[];
  readonly workers: readonly ModelWorker[];
  /** Workflows. */
  readonly paused: ReadonlySet<string>;
  /** The next number of an order. */
  count(): number;
}
