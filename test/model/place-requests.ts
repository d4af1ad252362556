import type { Demands } from '../../engine/model/task/demands.ts';
import type { ModelPlaceRequest, ModelTask } from './model-state.ts';
import type { Places } from './places.ts';

/** The requests of a task; a run's is made with the first of its tasks that has any. */
export function requestPlaces(
  places: Places,
  task: ModelTask,
  { demands, order }: { demands: Demands | null; order: number },
): void {
  if (demands === null) return;
  Object.assign(task, { demands, order });
  const make = (level: 'run' | 'task'): ModelPlaceRequest | null => {
    const links = demands.concurrency.filter((link) => link.level === level);
    if (links.length === 0) return null;
    const request = {
      ofRun: level === 'run',
      keys: links.map((link) => places.key(link)),
      priority: task.run.priority,
      order,
      tasks: [],
      arrived: false,
      held: false,
    };
    places.requests.push(request);
    return request;
  };
  task.run.request ??= make('run');
  task.runRequest = task.run.request;
  task.request = make('task');
  task.runRequest?.tasks.push(task);
  task.request?.tasks.push(task);
  task.stickyWorker = demands.desiredWorkerId;
}
