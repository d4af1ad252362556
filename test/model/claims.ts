import type { Demands } from '../../engine/model/demands.ts';
import type { ModelClaim, ModelTask } from './model-state.ts';
import type { Places } from './places.ts';

/** The claims of a task; a run's is made with the first of its tasks that has any. */
export function claimPlaces(
  places: Places,
  task: ModelTask,
  { demands, order }: { demands: Demands | null; order: number },
): void {
  if (demands === null) return;
  Object.assign(task, { demands, order });
  const make = (level: 'run' | 'task'): ModelClaim | null => {
    const links = demands.concurrency.filter((link) => link.level === level);
    if (links.length === 0) return null;
    const claim = {
      ofRun: level === 'run',
      keys: links.map((link) => places.key(link)),
      priority: task.run.priority,
      order,
      tasks: [],
      arrived: false,
      held: false,
    };
    places.claims.push(claim);
    return claim;
  };
  task.run.claim ??= make('run');
  task.runClaim = task.run.claim;
  task.claim = make('task');
  task.runClaim?.tasks.push(task);
  task.claim?.tasks.push(task);
  task.stickyWorker = demands.desiredWorkerId;
}
