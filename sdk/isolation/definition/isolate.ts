import type { Body } from '../../definition/workflow-definition.ts';
import type { RunStarter } from '../../run/run-starter.ts';
import type { StandardSchema } from '../../schema/standard-schema.ts';
import { isolatedStep, type IsolatedStep } from './isolated-step.ts';
import type { Isolation } from './isolation.ts';
import { runnerPort } from '../in-runner/runner-port.ts';
import { serveAttempt } from '../in-runner/serve-attempt.ts';

/** A task as it is being declared. */
interface Declared {
  readonly workflow: string;
  readonly step: string;
  readonly body: Body | undefined;
  readonly inputSchema: StandardSchema | undefined;
  readonly outputSchema: StandardSchema | undefined;
  readonly runner: RunStarter;
}

/**
 * Reads the isolation of a task. In a runner the task is at its disposal from then on.
 * @throws HatchetError INVALID_DEFINITION, INVALID_DURATION
 */
export function isolate(
  option: Isolation | undefined,
  { workflow, step, body, ...rest }: Declared,
): IsolatedStep | undefined {
  const isolated = isolatedStep(option, { workflow, step });
  const port = runnerPort();
  if (isolated !== undefined && port !== undefined && body !== undefined)
    port.offer(isolated.home, (order) => serveAttempt(port, { body, ...rest }, order));
  return isolated;
}
