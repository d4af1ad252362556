/** A registered workflow as the planner needs it; stored as JSON in `workflow_version.definition`. */
export interface WorkflowDefinition {
  name: string;
  description: string;
  /** 1–3. */
  defaultPriority: number;
  /** JSON Schema of the input, as text, when the registration carried one. */
  inputJsonSchema: string | null;
  steps: StepDefinition[];
}

export interface StepDefinition {
  name: string;
  /** Lower-case, `workflow:step`. */
  action: string;
  /** Indices of earlier steps. */
  parents: number[];
  retries: number;
  backoffFactor: number | null;
  backoffMaxSeconds: number | null;
  executionTimeoutMs: number;
  scheduleTimeoutMs: number;
  /** Units of each slot type that a run of the step takes. */
  slots: Record<string, number>;
  durable: boolean;
}

export const defaultExecutionTimeoutMs = 60_000;
export const defaultScheduleTimeoutMs = 300_000;
