import { HatchetError } from '../../base/errors.ts';
import type {
  RegisterWorkerCommand,
  UnsubscribeCommand,
  UpdateWorkerCommand,
  WorkerAnsweredCommand,
  WorkerLostCommand,
  WorkerPresenceCommand,
} from './command.ts';
import { loseWorker } from '../lifecycle/lost-workers.ts';
import { touch, type Plan } from '../state/plan.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import { hear } from '../queue/silent-worker.ts';

/** Of one worker, over all that were ever put to it. */
const mostLabels = 1000;

export function planRegisterWorker(plan: Plan, command: RegisterWorkerCommand): void {
  const { state, changes } = plan;
  if (state.workersById.has(command.workerId)) return;
  const worker = state.addWorker({
    id: command.workerId,
    tenantId: command.tenantId,
    name: command.name,
    actions: command.actions,
    slots: new Map(Object.entries(command.slots)),
    labels: new Map(Object.entries(command.labels)),
    runtime: command.runtime,
  });
  state.undo.record(() => state.removeWorker(worker));
  changes.workers.push({
    id: command.workerId,
    tenantId: command.tenantId,
    name: command.name,
    actions: command.actions,
    slots: JSON.stringify(command.slots),
    labels: JSON.stringify(command.labels),
    runtime: JSON.stringify(command.runtime),
  });
  changes.effects.push({
    kind: 'workerRegistered',
    tenantId: command.tenantId,
    workerId: command.workerId,
    name: command.name,
  });
}

export function planUpdateWorker(plan: Plan, command: UpdateWorkerCommand): void {
  const { state, changes } = plan;
  const worker = ownWorker(plan, command.tenantId, command.workerId);
  const { paused } = command;
  if (paused !== undefined && paused !== worker.paused) {
    worker.paused = paused;
    state.undo.record(() => {
      worker.paused = !paused;
    });
    state.noteRoom(worker);
  }
  if (command.labels !== undefined) {
    const { labels } = worker;
    const merged = new Map([...labels, ...Object.entries(command.labels)]);
    if (merged.size > mostLabels)
      throw new HatchetError('INVALID_ARGUMENT', `worker ${worker.id} would have ${merged.size} labels`, {
        remedy: `Give it at most ${mostLabels}: labels stay until the worker ends.`,
      });
    worker.labels = merged;
    state.undo.record(() => {
      worker.labels = labels;
    });
    state.noteRoom(worker);
  }
  changes.workerUpdates.push({
    id: worker.id,
    labels: command.labels === undefined ? null : JSON.stringify(command.labels),
    paused: paused ?? null,
    ended: false,
  });
}

/** Changes no row: after a restart the session layer says it again. */
export function planWorkerPresence(plan: Plan, command: WorkerPresenceCommand): void {
  const { state } = plan;
  const worker = state.workersById.get(command.workerId);
  if (worker === undefined) return;
  setAway(plan, worker, command.away === true);
  if (worker.assignable === command.assignable) return;
  worker.assignable = command.assignable;
  state.undo.record(() => {
    worker.assignable = !command.assignable;
  });
  if (command.assignable) state.noteRoom(worker);
}

/** While a worker is away the deadlines of its tasks stand still; back again, they move by as long as it was away. */
function setAway(plan: Plan, worker: PlannerWorker, away: boolean): void {
  const { state, nowUs } = plan;
  const { awaySinceUs } = worker;
  if (away === awaySinceUs > 0) return;
  worker.awaySinceUs = away ? nowUs : 0;
  state.undo.record(() => {
    worker.awaySinceUs = awaySinceUs;
  });
  for (const row of worker.tasks) {
    if (away) state.deadlines.hold(row, state.undo);
    else if (state.deadlines.isHeld(row)) {
      state.deadlines.release(row, Math.max(nowUs - awaySinceUs, 0), state.undo);
      touch(plan, row);
    }
  }
}

export function planWorkerAnswered(plan: Plan, command: WorkerAnsweredCommand): void {
  hear(plan, plan.state.workersById.get(command.workerId));
}

export function planWorkerLost(plan: Plan, command: WorkerLostCommand): void {
  const worker = plan.state.workersById.get(command.workerId);
  if (worker === undefined) return;
  // One that has said goodbye has not died: what it had left was to go to others.
  const death = worker.ended ? undefined : command.death;
  loseWorker(plan, worker, { death, forget: worker.ended || command.forget === true });
  if (command.death?.isCertain === true && !worker.ended)
    plan.changes.workerUpdates.push({ id: worker.id, labels: null, paused: null, ended: true });
}

/** Its running tasks go on, and may report while its heartbeats would still count. */
export function planUnsubscribe(plan: Plan, command: UnsubscribeCommand): void {
  const { state, changes } = plan;
  const worker = ownWorker(plan, command.tenantId, command.workerId);
  if (worker.ended) return;
  worker.ended = true;
  state.undo.record(() => {
    worker.ended = false;
  });
  changes.workerUpdates.push({ id: worker.id, labels: null, paused: null, ended: true });
  changes.effects.push({ kind: 'workerEnded', workerId: worker.id });
}

function ownWorker(plan: Plan, tenantId: string, workerId: string): PlannerWorker {
  const worker = plan.state.workersById.get(workerId);
  if (worker === undefined || worker.tenantId !== tenantId) {
    throw new HatchetError('UNKNOWN_WORKER', `no worker ${workerId}`, { remedy: 'Register the worker again.' });
  }
  return worker;
}
