import type { Caller } from '../../edge/access/caller.ts';
import type { Host } from '../../base/host.ts';
import type { CallFacts, Gate } from '../../edge/access/gate.ts';
import { reports } from '../../edge/access/rule.ts';
import type { Commands } from '../../edge/parsed-commands.ts';
import { reportedFailure, reportedOutcome, retryDelay, type ReportedOutcome } from '../../edge/parse/attempt-report.ts';
import { id } from '../../edge/parse/id.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import type { Dispatcher } from '../../dispatch/dispatcher.ts';
import type { Checked } from '../../model/checked.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  type ConnectRequest,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { HeldStarts, type HeldStart, type ReportItem } from './held-starts.ts';
import { isOfOne, type Place, type Refuse } from './refusals.ts';

export interface AttemptReportDeps {
  gate: Pick<Gate, 'admit'>;
  owner: Commands;
  dispatcher: Dispatcher;
  host?: Host;
}

const { COMMAND_KIND_STARTED, COMMAND_KIND_COMPLETED, COMMAND_KIND_FAILED } = CommandKind;
const reportFacts: CallFacts = { rule: reports, action: '/Dispatcher/SendStepActionEvent', address: () => '' };

interface Report {
  readonly place: Place;
  readonly item: ReportItem;
}

interface Ref {
  readonly taskId: Checked<string>;
  readonly attempt: Checked<number>;
}

/** Of a frame, or of calls that came together. */
type Reported = Pick<ConnectRequest, 'started' | 'completed' | 'failed'>;

/** Whose frame it is, and who hears what is refused of it. */
interface Frame {
  readonly caller: Caller;
  /** The program's, whose tasks come by the session; undefined where it is nobody's alone. */
  readonly workerIds: Iterable<string> | undefined;
  readonly refuse: Refuse;
}

/** What frames say of attempts: the ends of one as one command, starts with those of other frames, or with their ends. */
export class AttemptReports {
  readonly #deps: AttemptReportDeps;
  readonly #starts: HeldStarts;

  constructor(deps: AttemptReportDeps) {
    this.#deps = deps;
    this.#starts = new HeldStarts(
      (tenantId, items) => deps.owner.submit({ kind: 'batchReport', tenantId, batchId: null, items }),
      deps.host,
    );
  }

  /** A program's stream is cut: what it has said of its tasks is to be known before anything follows from that. */
  hurry(tenantId: Caller['tenantId']): void {
    this.#starts.hurry(tenantId);
  }

  /** Resolves once each is stored or refused; undefined where there is none. */
  carryOut({ started, completed, failed }: Reported, of: Frame): Promise<unknown> | undefined {
    if (started.length + completed.length + failed.length === 0) return undefined;
    const { caller, refuse } = of;
    try {
      this.#deps.gate.admit(caller.identity, reportFacts);
    } catch (error) {
      for (const index of started.keys()) refuse(error, { kind: COMMAND_KIND_STARTED, index });
      for (const index of completed.keys()) refuse(error, { kind: COMMAND_KIND_COMPLETED, index });
      for (const index of failed.keys()) refuse(error, { kind: COMMAND_KIND_FAILED, index });
      return undefined;
    }
    if (of.workerIds !== undefined) this.#deps.dispatcher.spoke(of.workerIds);
    const starts: HeldStart[] = [];
    const ends: Report[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const [index, report] of started.entries()) {
      const place = { kind: COMMAND_KIND_STARTED, index };
      const ref = this.#read(report, place, of);
      if (ref === undefined) continue;
      const item: ReportItem = { event: 'started', ...ref };
      // Of a relay: who reports by calls says no more of its task before this is answered, and says some of it by other calls.
      if (of.workerIds === undefined) ends.push({ place, item });
      else if (report.invocation === undefined) starts.push({ item, index });
      else waiting.push(this.#submitAlone({ place, item }, of));
    }
    const end = (report: { invocation?: number | undefined }, one: Report): void => {
      if (report.invocation === undefined) ends.push(one);
      else waiting.push(this.#submitAlone(one, of));
    };
    const reading: Promise<void>[] = [];
    for (const [index, report] of completed.entries()) {
      const place = { kind: COMMAND_KIND_COMPLETED, index };
      const ref = this.#read(report, place, of);
      if (ref === undefined) continue;
      const add = (outcome: ReportedOutcome): void =>
        end(report, { place, item: completion(ref, outcome, !report.shouldNotRetry) });
      try {
        const outcome = reportedOutcome(this.#deps.owner.payloads, caller.tenantId, report.output);
        // A long output is read by another thread.
        if (outcome instanceof Promise) reading.push(outcome.then(add, (error: unknown) => refuse(error, place)));
        else add(outcome);
      } catch (error) {
        refuse(error, place);
      }
    }
    for (const [index, report] of failed.entries()) {
      const place = { kind: COMMAND_KIND_FAILED, index };
      const ref = this.#read(report, place, of);
      if (ref === undefined) continue;
      try {
        end(report, { place, item: failure(ref, report) });
      } catch (error) {
        refuse(error, place);
      }
    }
    if (starts.length > 0)
      waiting.push(
        this.#starts.hold(caller.tenantId, starts, (error, start) =>
          refuse(error, { kind: COMMAND_KIND_STARTED, index: start.index }),
        ),
      );
    if (reading.length > 0) waiting.push(Promise.all(reading).then(() => this.#submitEnds(ends, of)));
    else if (ends.length > 0) waiting.push(this.#submitEnds(ends, of));
    return waiting.length === 1 ? waiting[0] : Promise.all(waiting);
  }

  /** Whose report it is: the dispatcher hears that its worker has spoken. */
  #read(
    report: AttemptStarted | AttemptCompleted | AttemptFailed,
    place: Place,
    { refuse, caller, workerIds }: Frame,
  ): Ref | undefined {
    try {
      const taskId = id(report.taskId, "the task run's id");
      const attempt = wholeNumber(report.attempt, 'the attempt', { min: 0, max: largestInteger });
      const ref = { taskId, attempt };
      if (workerIds === undefined) this.#deps.dispatcher.heard(caller.tenantId, { ...ref, batchId: null });
      else this.#deps.dispatcher.heardOf(ref);
      return ref;
    } catch (error) {
      refuse(error, place);
      return undefined;
    }
  }

  async #submitEnds(ends: readonly Report[], of: Frame): Promise<void> {
    const settle = this.#starts.takeFor(
      of.caller.tenantId,
      ends.map(({ item }) => item),
    );
    await this.#submit(ends, of);
    // Where an end was refused, it comes again, or another in its place, and says of the start what this one did.
    settle();
  }

  /** Together; where something of all of them cannot be stored, each by itself. */
  async #submit(all: readonly Report[], of: Frame): Promise<void> {
    if (all.length === 0) return;
    try {
      await this.#deps.owner.submit({
        kind: 'batchReport',
        tenantId: of.caller.tenantId,
        batchId: null,
        items: all.map(({ item }) => item),
      });
    } catch (error) {
      if (all.length > 1 && isOfOne(error)) await Promise.all(all.map(async (report) => this.#submit([report], of)));
      else for (const { place } of all) of.refuse(error, place);
    }
  }

  /** A durable task's operations are numbered: what is said of it keeps its place among them. */
  async #submitAlone({ item, place }: Report, { caller: { tenantId }, refuse }: Frame): Promise<void> {
    const { owner } = this.#deps;
    const { taskId } = item;
    try {
      if (item.attempt === null) return;
      const ref = { tenantId, taskId, attempt: item.attempt };
      if (item.event === 'started') await owner.submit({ kind: 'started', ...ref });
      else if (item.event === 'completed') await owner.submit({ kind: 'completed', ...ref, output: item.output });
      else if (item.event === 'failed') await owner.submit({ ...item, ...ref, kind: 'failed' });
    } catch (error) {
      refuse(error, place);
    }
  }
}

function completion(ref: Ref, outcome: ReportedOutcome, mayRetry: boolean): ReportItem {
  return outcome.ok
    ? { event: 'completed', ...ref, output: outcome.output }
    : { event: 'failed', ...ref, error: outcome.error, mayRetry };
}

function failure(ref: Ref, { error, shouldNotRetry, retryAfterMs }: AttemptFailed): ReportItem {
  return {
    event: 'failed',
    ...ref,
    error: reportedFailure(error),
    mayRetry: !shouldNotRetry,
    retryAfterMs: retryDelay(retryAfterMs),
  };
}
