import type { Command, CommandByKind } from '../../engine/plan/commands/command.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';
import type { BatchReportItem } from '../../engine/plan/commands/attempts/batch-report.ts';
import { Admission } from './admission.ts';
import { requestPlaces } from './place-requests.ts';
import { judge, listensFor, noteEvent, noteParentsEnd, noteSleeps, type ModelEvent } from './conditions.ts';
import { Gathering } from './gathering.ts';
import { freshTask } from './fresh-task.ts';
import type {
  Decision,
  ModelRun,
  ModelTask,
  ModelView,
  ModelWorker,
  ModelWorkflow,
  Outcome,
  Progress,
} from './model-state.ts';
import { Places } from './places.ts';
import { Queue } from './queue.ts';
import { Units } from './units.ts';
import { Workers } from './workers.ts';
import { tenantOf } from '../helpers/tenant.ts';

/**
 * What the engine promises, as plainly as it can be said: every question is answered by looking at everything there is,
 * nothing is counted ahead, nothing is taken back. It follows the planner in the choices that are free (which of two equal
 * workers) and refuses those that are not.
 */
export class ReferenceModel implements ModelView {
  now = 0;
  lastTick = 0;
  readonly versions = new Map<string, ModelWorkflow>();
  readonly paused = new Set<string>();
  /** When their last pauses ended. */
  readonly #resumed = new Map<string, number>();
  readonly runs: ModelRun[] = [];
  /** Those that are not gone. */
  tasks: ModelTask[] = [];
  /** By task and generation. */
  readonly results = new Map<string, Outcome & { attempt: number }>();
  /** By run and generation. */
  readonly runEnds = new Map<string, string>();
  readonly places = new Places();
  readonly units: Units = new Units(this, (task) => this.queue.enter(task, true));
  readonly gathering: Gathering = new Gathering(this);
  readonly queue: Queue = new Queue(this, { units: this.units, gathering: this.gathering });
  readonly #admission = new Admission(this, {
    places: this.places,
    queue: this.queue,
    cancel: (task) => this.cancel(task),
  });
  readonly #workers = new Workers({
    tasks: () => this.tasks,
    orphaned: (task, mostDeaths) => (task.where === 'runs' ? this.#outlive(task, mostDeaths) : this.#stopped(task)),
  });
  #count = 0;
  #batch = 0;

  get workers(): readonly ModelWorker[] {
    return this.#workers.all;
  }

  count(): number {
    this.#count++;
    return this.#count;
  }

  put(versionId: string, workflowId: string, definition: ModelWorkflow['definition']): void {
    this.versions.set(versionId, { id: workflowId, definition });
  }

  /**
   * The engine died and another took over. Nothing that was promised changes. What may: workers have still to come back,
   * turns start again from the oldest, and a key's places are those of the newest unfinished task.
   */
  restart(now: number): void {
    this.#workers.restart(now);
    const byId = [...this.tasks].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const task of byId.filter(({ listening }) => listening > 0)) task.listening = this.count();
    for (const task of byId.filter(({ worker }) => worker !== null)) task.assigned = this.count();
    this.places.restart(this.tasks);
    this.units.restart(this.tasks);
    this.queue.restart();
  }

  /**
   * A transaction was taken back. Memory is as it was, but for orders of which nothing is promised then: whose turn it is among
   * keys, in which order tasks leave a worker that is lost, and in which they hear of an event.
   */
  tookBack(orders: { held: readonly string[]; listening: readonly string[] }): void {
    this.queue.tookBack();
    for (const task of orders.held.map((id) => this.#find(id))) if (task !== undefined) task.assigned = this.count();
    for (const task of orders.listening.map((id) => this.#find(id)))
      if (task !== undefined && task.listening > 0) task.listening = this.count();
  }

  /** Runs a transaction's commands, then checks that its decisions are among those that are right. */
  apply(commands: readonly Command[], now: number, did: { decisions: readonly Decision[]; progress: Progress }): void {
    this.now = now;
    this.#batch++;
    for (const command of commands) this.#run(command);
    this.units.refill();
    this.#admission.settle(did.progress);
    this.queue.follow(did.decisions, did.progress);
  }

  #run(command: Command): void {
    switch (command.kind) {
      case 'trigger':
        return this.#trigger(command);
      case 'replay':
        return this.#replay(command);
      case 'started':
        return this.#attempt(command, (task) => {
          this.#start(task);
        });
      case 'completed':
        return this.#attempt(command, (task) => {
          this.#start(task);
          this.#end(task, { status: 'completed', output: command.output });
        });
      case 'failed':
        return this.#attempt(command, (task) => {
          this.#start(task);
          if (command.mayRetry && task.retries < task.step.retries) this.#retry(task);
          else this.#end(task, { status: 'failed', output: null });
        });
      case 'cancel':
        for (const id of command.ids) for (const task of this.#named(id)) this.cancel(task);
        return undefined;
      case 'cancelSent': {
        const task = this.#find(command.taskId);
        if (task?.where === 'is being told to stop' && task.attempt === command.attempt) this.#stopped(task);
        return undefined;
      }
      case 'returnUnsent':
        return this.#attempt(command, (task) => {
          if (!task.started) this.#reassign(task);
        });
      case 'reassignUnstarted':
        return this.#attempt(command, (task) => {
          if (!task.started) this.#interrupt(task, 'reassign');
        });
      case 'unanswered':
        for (const each of command.attempts) this.#unanswered(command.workerId, each);
        return undefined;
      case 'batchReport':
        for (const item of command.items) this.#batchItem(command.batchId, item);
        return undefined;
      case 'releaseSlot':
        for (const task of this.#together(command.taskId)) {
          this.#heard(task);
          task.slotReleased = true;
          // One call has the slots for all of its batch, also for those that are being told to stop.
          for (const each of this.tasks) if (each.batch !== null && each.batch === task.batch) each.slotReleased = true;
        }
        return undefined;
      case 'refreshTimeout':
        for (const task of this.#together(command.taskId)) {
          this.#heard(task);
          task.due += command.incrementMs * 1000;
        }
        return undefined;
      case 'pushEvent':
        for (const event of command.events) this.#event(event);
        return undefined;
      case 'putRateLimit':
        return this.units.put(command);
      case 'deleteRateLimit':
        return this.units.drop(command.key);
      case 'pauseWorkflow':
        if (command.paused) this.paused.add(command.workflowId);
        else if (this.paused.delete(command.workflowId)) this.#resumed.set(command.workflowId, this.now);
        return undefined;
      case 'tick':
        return this.#tick();
      default:
        return this.#workers.run(command, this.now);
    }
  }

  /** The task, with all that run in its batch; none where it does not run, and what is asked for it is refused. */
  #together(taskId: string): ModelTask[] {
    const task = this.#find(taskId);
    if (task?.where !== 'runs') return [];
    return task.batch === null
      ? [task]
      : this.tasks.filter((each) => each.batch === task.batch && each.where === 'runs');
  }

  /** A batch's report counts for the member that runs in it. */
  #batchItem(batchId: string | null, item: BatchReportItem): void {
    const task = this.#find(item.taskId);
    if (task === undefined || task.batch !== batchId) return;
    const ref = { taskId: task.id, attempt: task.attempt };
    switch (item.event) {
      case 'cancelled':
        return this.#attempt(ref, (each) => this.cancel(each));
      case 'started':
        return this.#run({ kind: 'started', tenantId: tenantOf(''), ...ref });
      case 'completed':
        return this.#run({ kind: 'completed', tenantId: tenantOf(''), ...ref, output: item.output });
      case 'failed':
        return this.#run({
          kind: 'failed',
          tenantId: tenantOf(''),
          ...ref,
          error: item.error,
          mayRetry: item.mayRetry,
        });
    }
  }

  #find(taskId: string): ModelTask | undefined {
    return this.tasks.find(({ id }) => id === taskId);
  }

  #named(id: string): ModelTask[] {
    return this.tasks.filter((task) => task.id === id || task.run.id === id).sort((a, b) => a.index - b.index);
  }

  /** A report counts for the running attempt that it names, and for no other. */
  #attempt(ref: { taskId: string; attempt: number }, then: (task: ModelTask) => void): void {
    const task = this.#find(ref.taskId);
    if (task?.where === 'runs' && task.attempt === ref.attempt) then(task);
  }

  #trigger(command: CommandByKind['trigger']): void {
    for (const asked of command.runs) {
      const workflow = this.versions.get(asked.versionId);
      if (workflow === undefined) throw new Error(`no version ${asked.versionId}`);
      const run: ModelRun = {
        id: asked.runId,
        workflow,
        priority: asked.priority,
        demands: asked.demands,
        generation: 1,
        tasks: [],
        request: null,
        ended: false,
        endedAt: 0,
      };
      this.runs.push(run);
      const order = this.count();
      for (const [index, id] of asked.taskIds.entries()) {
        const step = workflow.definition.steps[index];
        if (step === undefined) throw new Error(`no step ${index}`);
        const task = freshTask({ id, run, index, step });
        run.tasks.push(task);
        this.tasks.push(task);
        requestPlaces(this.places, task, { demands: asked.demands?.[index]?.demands ?? null, order });
        if (step.parents.length === 0 && index !== workflow.definition.onFailure && !isBad(asked.demands, index))
          this.#review(task);
      }
      for (const task of run.tasks) if (isBad(asked.demands, task.index)) this.#bearFailed(task);
    }
  }

  #replay(command: CommandByKind['replay']): void {
    for (const run of this.runs) {
      const { definition } = run.workflow;
      const asked = run.tasks.filter((task) => command.ids.includes(task.id) || command.ids.includes(run.id));
      if (asked.length === 0 || run.endedAt === this.#batch || run.tasks.some((task) => task.where !== 'gone'))
        continue;
      const again = new Set(asked);
      for (const task of again)
        for (const other of run.tasks) if (other.step.parents.includes(task.index)) again.add(other);
      const answer = run.tasks.find((task) => task.index === definition.onFailure);
      if (
        answer !== undefined &&
        !run.tasks.some((task) => task !== answer && task.outcome?.status === 'failed' && !again.has(task))
      )
        again.add(answer);
      const { demands } = run;
      run.generation = Math.max(...run.tasks.map((task) => task.generation)) + 1;
      Object.assign(run, { ended: false, endedAt: this.#batch, request: null });
      const order = this.count();
      const reopened: ModelTask[] = [];
      for (const task of run.tasks) {
        if (!again.has(task)) continue;
        Object.assign(task, freshTask(task), { attempt: task.attempt + 1, generation: run.generation });
        reopened.push(task);
        this.tasks.push(task);
        requestPlaces(this.places, task, { demands: demands?.[task.index]?.demands ?? null, order });
      }
      for (const task of reopened) {
        if (task === answer || isBad(demands, task.index) || task.where !== 'waits for its parents') continue;
        for (const parent of task.step.parents) noteParentsEnd(task, parent);
        this.#review(task);
      }
      for (const task of reopened) if (isBad(demands, task.index)) this.#bearFailed(task);
      this.#answerFailure(run);
    }
  }

  #bearFailed(task: ModelTask): void {
    if (task.where === 'waits for its parents') this.#end(task, { status: 'failed', output: null });
  }

  #review(task: ModelTask): void {
    if (task.where !== 'waits for its parents' || task.outcome !== null) return;
    const parents = task.step.parents.map((index) => task.run.tasks[index]?.outcome ?? null);
    if (task.since === 0 && !parents.includes(null) && task.step.conditions.length > 0) {
      task.since = this.now;
      task.listening = this.count();
    }
    switch (judge(task)) {
      case 'start':
        return this.makeReady(task, false);
      case 'skip':
        return this.#end(task, { status: 'skipped', output: null });
      case 'cancel':
        return this.#end(task, { status: 'cancelled', output: null });
      case 'wait':
        if (task.since > 0)
          task.due = Math.min(
            ...task.step.conditions.flatMap((each, index) =>
              each.kind === 'sleep' && task.conditions[index] === null ? [task.since + each.ms * 1000] : [],
            ),
          );
        if (task.due === Infinity) task.due = 0;
    }
  }

  /** The task is ready: it asks for its places first. */
  makeReady(task: ModelTask, first: boolean): void {
    Object.assign(task, {
      where: 'ready',
      first,
      started: false,
      slotReleased: false,
      prolonged: false,
      listening: 0,
      turn: this.count(),
      due: this.now + task.step.scheduleTimeoutMs * 1000,
    });
    if (task.demands === null || task.admitted) this.queue.enter(task);
    else this.places.arrivals.push(task);
  }

  cancel(task: ModelTask): void {
    if (task.where === 'gone' || (task.where === 'is being told to stop' && task.afterStop === 'end')) return;
    if (task.where === 'runs') this.#interrupt(task, 'end');
    this.#end(task, { status: 'cancelled', output: null });
  }

  #interrupt(task: ModelTask, afterStop: ModelTask['afterStop']): void {
    Object.assign(task, { where: 'is being told to stop', due: 0, afterStop });
  }

  #stopped(task: ModelTask): void {
    if (task.afterStop === 'end') this.#forget(task);
    else if (task.afterStop === 'elsewhere') this.#leave(task, 'unanswered');
    else if (task.afterStop === 'reassign') this.#reassign(task);
    else this.#retry(task);
  }

  #nextAttempt(task: ModelTask): void {
    Object.assign(task, {
      worker: null,
      batch: null,
      due: 0,
      started: false,
      slotReleased: false,
      prolonged: false,
      attempt: task.attempt + 1,
    });
  }

  #retry(task: ModelTask): void {
    const { backoffFactor: factor, backoffMaxSeconds: most } = task.step;
    this.#nextAttempt(task);
    task.retries++;
    if (factor === null) return this.makeReady(task, true);
    task.where = 'backs off';
    task.due = this.now + Math.min(factor ** task.retries, most ?? Infinity, 86_400) * 1_000_000;
    this.places.release(task.request);
    task.admitted = false;
  }

  /** Its worker is gone: another gets it, unless too many have died under it. */
  #outlive(task: ModelTask, mostDeaths: number | null): void {
    if (mostDeaths === null) return this.#reassign(task);
    if (task.deaths + 1 >= mostDeaths) return this.#end(task, { status: 'failed', output: null });
    this.#leave(task, 'deaths');
  }

  /** It goes elsewhere, and only the reason is counted. */
  #leave(task: ModelTask, reason: 'deaths' | 'unanswered'): void {
    this.#nextAttempt(task);
    task[reason]++;
    this.makeReady(task, true);
  }

  /** Three workers may leave it unanswered; with the fourth it stays. */
  #unanswered(workerId: string, ref: { taskId: string; attempt: number }): void {
    this.#attempt(ref, (task) => {
      const { worker } = task;
      if (worker === null || worker.id !== workerId || worker.awaySince > 0 || task.started) return;
      worker.blocked = true;
      if (task.unanswered < 3) this.#interrupt(task, 'elsewhere');
    });
  }

  /** A worker that says something of a task answers. */
  #heard(task: ModelTask): void {
    if (task.worker !== null) task.worker.blocked = false;
  }

  #reassign(task: ModelTask): void {
    if (task.reassigns === 10) {
      this.#end(task, { status: 'failed', output: null });
      return this.#forget(task);
    }
    this.#nextAttempt(task);
    task.reassigns++;
    this.makeReady(task, true);
  }

  #end(task: ModelTask, outcome: Outcome): void {
    const { run } = task;
    this.places.release(task.request);
    task.outcome = outcome;
    this.results.set(`${task.id}/${task.generation}`, { ...outcome, attempt: task.attempt });
    for (const child of run.tasks) {
      if (!child.step.parents.includes(task.index) || child.outcome !== null) continue;
      noteParentsEnd(child, task.index);
      this.#review(child);
    }
    this.#answerFailure(run);
    if (
      !run.ended &&
      run.tasks.length === run.workflow.definition.steps.length &&
      run.tasks.every((each) => each.outcome !== null)
    ) {
      Object.assign(run, { ended: true, endedAt: this.#batch });
      const ends = run.tasks.map((each) => each.outcome?.status);
      this.runEnds.set(
        `${run.id}/${run.generation}`,
        ends.includes('failed') ? 'failed' : ends.includes('cancelled') ? 'cancelled' : 'completed',
      );
      this.places.release(run.request);
    }
    if (task.where === 'is being told to stop') task.afterStop = 'end';
    else this.#forget(task);
  }

  #forget(task: ModelTask): void {
    this.queue.leave(task);
    this.places.arrivals = this.places.arrivals.filter((each) => each !== task);
    Object.assign(task, {
      where: 'gone',
      due: 0,
      worker: null,
      batch: null,
      inLine: null,
      limitedBy: null,
      listening: 0,
    });
    this.tasks = this.tasks.filter((each) => each !== task);
  }

  /** The task that answers a failure runs after the first one, and is skipped when all else has ended without. */
  #answerFailure(run: ModelRun): void {
    const task = run.tasks.find(({ index }) => index === run.workflow.definition.onFailure);
    if (task?.where !== 'waits for its parents' || task.outcome !== null) return;
    const others = run.tasks.filter((each) => each !== task);
    if (others.some((each) => each.outcome?.status === 'failed')) this.makeReady(task, false);
    else if (others.every((each) => each.outcome !== null)) this.#end(task, { status: 'skipped', output: null });
  }

  #event(event: ModelEvent): void {
    const listeners = this.tasks.filter((task) => listensFor(task, event));
    for (const task of listeners.sort((a, b) => a.listening - b.listening)) {
      noteEvent(task, event);
      this.#review(task);
    }
  }

  #tick(): void {
    this.lastTick = this.now;
    for (let task = this.#firstDue(); task !== undefined; task = this.#firstDue()) {
      switch (task.where) {
        case 'waits for its parents':
          noteSleeps(task, this.now);
          this.#review(task);
          break;
        case 'backs off':
          this.makeReady(task, true);
          break;
        case 'runs':
          this.#meetTimeout(task);
          break;
        default:
          this.#waitOn(task);
          if (task.due <= this.now) this.#end(task, { status: 'cancelled', output: null });
      }
    }
  }

  /** While its workflow is paused its time starts afresh, and with the end of the pause. */
  #waitOn(task: ModelTask): void {
    const { id } = task.run.workflow;
    const sinceUs = this.paused.has(id) ? this.now : (this.#resumed.get(id) ?? -Infinity);
    task.due = Math.max(task.due, sinceUs + task.step.scheduleTimeoutMs * 1000);
  }

  /** What has not started is given more time to, once, as long as it may go elsewhere. */
  #meetTimeout(task: ModelTask): void {
    const together = this.#together(task.id);
    const started = together.some((each) => each.started);
    for (const each of together) {
      if (started || each.unanswered === 3 || each.prolonged) this.#timeOut(each);
      else
        Object.assign(each, {
          prolonged: true,
          due: this.now + Math.max(each.step.executionTimeoutMs * 1000, 30_000_000),
        });
    }
  }

  /** Its time begins when it starts, where that is more than a second after its assignment. */
  #start(task: ModelTask): void {
    this.#heard(task);
    const timeout = task.step.executionTimeoutMs * 1000;
    if (!task.started && (task.prolonged || task.due - this.now < timeout - 1_000_000)) task.due = this.now + timeout;
    task.started = true;
  }

  #timeOut(task: ModelTask): void {
    this.#interrupt(task, 'retry');
    if (task.retries >= task.step.retries) this.#end(task, { status: 'failed', output: null });
  }

  #firstDue(): ModelTask | undefined {
    return this.tasks
      .filter((task) => task.due !== 0 && task.due <= this.now && !standsStill(task))
      .sort((a, b) => a.due - b.due || a.turn - b.turn)[0];
  }
}

/** Nobody can say whether it runs. */
function standsStill({ where, worker }: ModelTask): boolean {
  return where === 'runs' && (worker?.awaySince ?? 0) > 0;
}

function isBad(demands: readonly StepDemands[] | null, index: number): boolean {
  return (demands?.[index]?.error ?? null) !== null;
}
