import type { LogLine } from '../../../proto/gen/rest/answers.ts';
import type { TaskLogLine } from '../../monitor/lines/task-logs.ts';
import { isoMs, storedJson } from '../message-fields.ts';

/** @param task whose line it is */
export function logMessage(line: TaskLogLine, task: { id: string; name: string }): LogLine {
  return {
    createdAt: isoMs(line.atMs),
    message: line.message,
    metadata: metadataOf(line.metadata),
    taskExternalId: task.id,
    taskDisplayName: task.name,
    retryCount: line.attempt,
    attempt: line.attempt + 1,
    level: line.level,
  };
}

/** A worker's metadata is kept as it came; what is no JSON would spoil the answer. */
function metadataOf(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return {};
  }
  return storedJson(text);
}
