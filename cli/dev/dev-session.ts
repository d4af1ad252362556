import { relative } from 'node:path';
import { RunAdmin, type TriggerOptions } from '../admin/run-admin.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { ExitCode } from '../exit-codes.ts';
import type { EventRow } from '../monitor/run-reader.ts';
import { reportError } from '../output/report-error.ts';
import type { EngineController } from './engine-controller.ts';
import type { DevEvent } from './events.ts';
import type { InspectorPort } from './workers/inspector-port.ts';
import type { Builder, ProjectWatcher } from './program/program.ts';
import type { RunFeed } from './view/run-feed.ts';
import { TasksUnderWay, type UnderWay } from './trouble/tasks-under-way.ts';
import type { TypeChecker } from './program/type-checker.ts';
import { RestartAfterBuild } from './workers/restart-after-build.ts';
import type { Workers } from './workers/workers.ts';

/** What shows a session to a person or a program. */
export interface DevView {
  show(event: DevEvent): void;
  stop(): Promise<void> | void;
}

export interface SessionParts {
  project: string;
  engine: EngineController;
  builder: Builder;
  /** None with --no-reload. */
  watcher: ProjectWatcher | undefined;
  /** None where there are no types to check. */
  types: TypeChecker | undefined;
  workers: Workers;
  feed: RunFeed;
  /** Only with --inspect. */
  inspector: InspectorPort | undefined;
  view: DevView;
  connection(): Connection;
  /** Its change starts the worker anew, although the code stays the same. */
  envFile: string;
}

export interface SessionGoal {
  /** Triggered once the worker is up. */
  trigger: TriggerOptions | undefined;
  /** End after the triggered run, with an exit code by its outcome. */
  once: boolean;
}

/** A `hatchet dev`: every event of its parts comes here, and only here is decided what follows from it; whether a build restarts the worker, by `RestartAfterBuild`. */
export class DevSession {
  readonly #parts: SessionParts;
  readonly #goal: SessionGoal;
  readonly #ended: Promise<ExitCode>;
  #end: (exitCode: ExitCode) => void = () => undefined;
  #engineIsUp = false;
  #manifest: string | undefined;
  readonly #restart: RestartAfterBuild;
  readonly #underWay = new TasksUnderWay();
  /** Workers that ended, whose last runs the feed may tell of only afterwards. */
  readonly #deadWorkers = new Set<string>();
  readonly #interruptedRuns = new Set<string>();
  #triggeredRun: string | undefined;
  #wasTriggered = false;
  #looks: Promise<void> = Promise.resolve();

  constructor(parts: SessionParts, goal: SessionGoal) {
    this.#parts = parts;
    this.#goal = goal;
    this.#restart = new RestartAfterBuild(parts.envFile);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Runs until it is interrupted, fails for good or has reached its goal, then stops all that it started. */
  async run(): Promise<ExitCode> {
    this.#parts.engine.start();
    this.#parts.builder.build();
    const exitCode = await this.#ended;
    await this.#stop();
    return exitCode;
  }

  handle(event: DevEvent): void {
    const { builder, engine, feed, types, view, watcher, workers } = this.#parts;
    view.show(event);
    switch (event.type) {
      case 'engine-ready':
        this.#engineIsUp = true;
        if (!event.restarted) feed.start();
        this.#serve();
        return;
      case 'engine-failed':
        this.#end(reportError(event.error).exitCode);
        return;
      case 'engine-exited':
        this.#engineIsUp = false;
        return;
      case 'files-changed':
        this.#restart.saved(event.paths);
        builder.build(event.paths);
        return;
      case 'reload-requested':
        if (this.#manifest !== undefined && this.#engineIsUp) workers.replace(this.#manifest);
        return;
      case 'build-done':
        watcher?.cover(event.inputs);
        if (event.changed) types?.check();
        this.#manifest = event.manifest;
        this.#reload(event);
        return;
      case 'build-failed':
        watcher?.cover(event.inputs);
        // Whoever waits for one run is a program: it will not mend it either.
        if (
          this.#goal.once ||
          this.#restart.failed({ hasBuilt: this.#manifest !== undefined, isWatching: watcher !== undefined })
        )
          this.#end(ExitCode.failed);
        return;
      case 'worker-inspector':
        this.#parts.inspector?.point(event.port);
        return;
      case 'worker-loaded':
        watcher?.cover([event.file]);
        builder.include([event.file]);
        return;
      case 'worker-starting':
        this.#restart.workerStarting();
        return;
      case 'worker-ready':
        this.#restart.workerReady(performance.now());
        this.#triggerOnce();
        return;
      case 'worker-exited':
        this.#noteInterrupted(event);
        if (this.#goal.once && event.retryInMs === null && event.isLatest) this.#end(ExitCode.failed);
        return;
      case 'triggered':
        this.#triggeredRun = event.runId;
        this.#look(event.runId); // it may have ended before its id was known here
        return;
      case 'trigger-failed':
        if (this.#goal.once) this.#end(reportError(event.error).exitCode);
        return;
      case 'run-event':
        this.#noteReassigned(event.event);
        this.#underWay.note(event.event);
        this.#noteLate(event.event);
        this.#checkMismatch(event.event);
        if (event.event.type === 'RUN_FINISHED' && event.event.runId === this.#triggeredRun)
          this.#look(event.event.runId);
        return;
      case 'run-finished':
        this.#triggeredRun = undefined;
        if (this.#goal.once) this.#end(event.outcome === 'COMPLETED' ? ExitCode.done : ExitCode.failed);
        return;
      case 'interrupted':
        this.handle({ type: 'stopping', underWay: this.#underWay.list() });
        this.#end(event.signal === 'SIGINT' ? ExitCode.interrupted : ExitCode.done);
        return;
      case 'quit-requested':
        this.handle({ type: 'stopping', underWay: this.#underWay.list() });
        this.#end(ExitCode.done);
        return;
      case 'engine-trouble':
      case 'engine-recovered':
      case 'inspector-ready':
      case 'engine-stage':
      case 'build-started':
      case 'types-checked':
      case 'reload-held':
      case 'run-interrupted':
      case 'stopping':
      case 'worker-draining':
      case 'worker-stopped':
      case 'worker-line':
      case 'durable-mismatch':
      case 'overview':
      case 'feed-lost':
      case 'feed-back':
        return;
      default: {
        const never: never = event;
        throw new Error(`an event without a case: ${JSON.stringify(never)} (engine ${engine.constructor.name})`);
      }
    }
  }

  #reload(build: Extract<DevEvent, { type: 'build-done' }>): void {
    const restart = this.#restart.built(build, performance.now());
    if (restart === 'hold')
      this.handle({
        type: 'reload-held',
        files: build.changedFiles.map((file) => relative(this.#parts.project, file)),
      });
    if (restart === 'restart' || restart === 'none') this.#serve(restart === 'restart');
  }

  /** Puts the newest code to work, as soon as there are an engine and code. */
  #serve(force = false): void {
    const { workers } = this.#parts;
    if (this.#manifest === undefined || !this.#engineIsUp) return;
    if (force || !workers.isOn(this.#manifest)) workers.replace(this.#manifest);
  }

  #triggerOnce(): void {
    const { trigger } = this.#goal;
    if (trigger === undefined || this.#wasTriggered) return;
    this.#wasTriggered = true;
    const admin = new RunAdmin(this.#parts.connection());
    void admin
      .trigger(trigger)
      .then(
        (runId) => this.handle({ type: 'triggered', workflow: trigger.workflow, runId }),
        (error: unknown) => this.handle({ type: 'trigger-failed', workflow: trigger.workflow, error }),
      )
      .finally(() => admin.close());
  }

  #noteInterrupted({ workerIds }: Extract<DevEvent, { type: 'worker-exited' }>): void {
    for (const workerId of workerIds) this.#deadWorkers.add(workerId);
    for (const task of this.#underWay.list(workerIds)) this.#tellInterrupted(task);
  }

  /** A worker may die of a task sooner than the feed says that it has it; but one that ended meanwhile is not told of. */
  #noteLate({ workerId }: EventRow): void {
    if (workerId === null || !this.#deadWorkers.has(workerId)) return;
    setImmediate(() => {
      for (const task of this.#underWay.list([workerId])) this.#tellInterrupted(task);
    });
  }

  /** The feed may bring all of it at once. */
  #noteReassigned({ type, taskId }: EventRow): void {
    const was = type === 'REASSIGNED' ? this.#underWay.get(taskId) : undefined;
    if (was !== undefined && this.#deadWorkers.has(was.workerId)) this.#tellInterrupted(was);
  }

  /** Once for each worker that a run was on. */
  #tellInterrupted({ runId, workflow, workerId }: UnderWay): void {
    const key = `${workerId} ${runId}`;
    if (this.#interruptedRuns.has(key)) return;
    this.#interruptedRuns.add(key);
    this.handle({ type: 'run-interrupted', runId, workflow });
  }

  #checkMismatch({ runId, workflow, task, mismatch }: EventRow): void {
    if (mismatch !== undefined) this.handle({ type: 'durable-mismatch', runId, workflow, task, ...mismatch });
  }

  /** One look after the other: of two at once, both could find the end, and tell of it. */
  #look(runId: string): void {
    this.#looks = this.#looks.then(async () => {
      if (this.#triggeredRun !== runId) return;
      await this.#parts.feed
        .outcome(runId)
        .catch((error: unknown) =>
          this.handle({ type: 'feed-lost', why: error instanceof Error ? error.message : String(error) }),
        );
    });
  }

  async #stop(): Promise<void> {
    const { builder, engine, feed, types, view, watcher, workers } = this.#parts;
    types?.stop();
    // First of all: a screen's streams would hold the engine's stop up, and what follows is read on the normal screen.
    await view.stop();
    // A worker does not end while its debugger is on it.
    await this.#parts.inspector?.stop();
    await Promise.all([watcher?.stop(), builder.stop(), workers.stop()]);
    await feed.stop();
    await engine.stop();
  }
}
