import type { Worker } from '../../../proto/gen/rest/answers.ts';
import { shownLabels } from '../../model/task/worker-labels.ts';
import type { StoredWorker } from '../../monitor/worker-reads.ts';
import type { PlannerWorker } from '../../plan/queue/planner-worker.ts';
import { isoMs, leftOutFields, resourceMeta } from '../message-fields.ts';

const languages = ['GOLANG', 'PYTHON', 'TYPESCRIPT', 'RUBY'] as const;

/** Stored facts, with what memory knows better: who is alive, and which slots are in use. */
export function workerMessage(
  stored: StoredWorker,
  planned: PlannerWorker | undefined,
  workflows: readonly { id: string; name: string; actions: readonly string[] }[],
): Worker {
  const active = planned?.assignable === true && !stored.ended;
  const language = stored.runtime['language']?.toUpperCase();
  const actions = new Set(stored.actions);
  return {
    metadata: resourceMeta(stored.id, stored.lastHeartbeatAtMs ?? stored.registeredAtMs),
    name: stored.name,
    type: 'SELFHOSTED',
    lastHeartbeatAt: stored.lastHeartbeatAtMs === null ? undefined : isoMs(stored.lastHeartbeatAtMs),
    actions: stored.actions,
    leftOut: leftOutFields({ actions: stored.actionsLeftOut }),
    registeredWorkflows: workflows
      .filter((workflow) => workflow.actions.some((action) => actions.has(action)))
      .map(({ id, name }) => ({ id, name })),
    status: !active ? 'INACTIVE' : stored.paused ? 'PAUSED' : 'ACTIVE',
    slotConfig: Object.fromEntries(
      Object.entries(stored.slots).map(([type, limit]) => [
        type,
        { limit, available: limit - (planned?.used.get(type) ?? 0) },
      ]),
    ),
    labels: Object.entries(shownLabels(stored.labels)).map(([key, value]) => ({
      metadata: resourceMeta(stored.id),
      key,
      value: String(value),
    })),
    runtimeInfo: {
      sdkVersion: stored.runtime['sdkVersion'],
      language: languages.find((known) => known === language),
      languageVersion: stored.runtime['languageVersion'],
      os: stored.runtime['os'],
      runtimeExtra: stored.runtime['extra'],
    },
  };
}
