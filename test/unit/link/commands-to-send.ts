import type { EngineLink } from '../../../link/engine-link.ts';
import type { PutStreamEventRequest } from '../../../proto/gen/hatchet/contract/events.ts';

export const patienceMs = 30_000;

/** Resolves once the engine has it. */
export function completed(link: EngineLink, taskId: string): Promise<void> {
  return new Promise((resolve, reject) =>
    link.completed({ taskId, attempt: 0, output: '{}', shouldNotRetry: false }, patienceMs, (answer) =>
      'error' in answer ? reject(answer.error) : resolve(),
    ),
  );
}

export function chunk(task: string, index: number): PutStreamEventRequest {
  return {
    taskRunExternalId: task,
    createdAt: undefined,
    message: Buffer.from('chunk'),
    metadata: '',
    eventIndex: BigInt(index),
  };
}
