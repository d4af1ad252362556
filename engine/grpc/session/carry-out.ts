import type { Caller } from '../../edge/access/caller.ts';
import type { CallFacts } from '../../edge/access/gate.ts';
import { starts, reports } from '../../edge/access/rule.ts';
import type { Commands, Parsed } from '../../edge/parsed-commands.ts';
import { reportedFailure, reportedOutcome, retryDelay } from '../../edge/parse/attempt-report.ts';
import { id } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Dispatcher } from '../../dispatch/dispatcher.ts';
import type { Checked } from '../../model/checked.ts';
import { idTimeMs, isRecentUuid7, parseUuid } from '../../model/ids/uuid.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import type { BatchReportItem } from '../../plan/commands/attempts/batch-report.ts';
import { prepareRun } from '../../shard/prepare/prepare-run.ts';
import type { BatchActionEvent } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  type ConnectRequest,
  type OtherRun,
  type Refusal,
  type Trigger,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { refuseCollisions } from '../collision.ts';
import { reportBatch } from '../requests/batch-report-request.ts';
import { triggerRequest } from '../requests/trigger-request.ts';
import { idWindowMs } from '../runs/run-ids-header.ts';
import { refusalOf, type Place, type Refuse } from './refusals.ts';
import { storeApart, type ApartDeps } from './store-apart.ts';

export interface CommandDeps extends ApartDeps {
  owner: Commands;
  dispatcher: Dispatcher;
  log: Logger;
}

/** What became of a frame's commands, apart from those that were carried out as they were asked for. */
export interface CommandOutcome {
  refusals: Omit<Refusal, 'frame'>[];
  otherRuns: Omit<OtherRun, 'frame'>[];
}

/** Whose frame it is. */
export interface Program {
  readonly caller: Caller;
  readonly address: () => string;
  /** The run's end is to be told. */
  readonly await: (runId: string) => void;
}

const reportFacts: CallFacts = {
  rule: reports,
  action: '/Dispatcher/SendStepActionEvent',
  address: () => '',
};
const batchFacts: CallFacts = { ...reportFacts, action: '/Dispatcher/SendBatchActionEvent' };
const triggerFacts = { rule: starts, action: '/WorkflowService/BulkTriggerWorkflow' };

/**
 * Carries out what workers report and what is triggered, all of a kind as one command, and stores chunks and log lines. Resolves once
 * each is stored or refused.
 */
export async function carryOut(deps: CommandDeps, frame: ConnectRequest, program: Program): Promise<CommandOutcome> {
  const outcome: CommandOutcome = { refusals: [], otherRuns: [] };
  const { caller } = program;
  const refuse: Refuse = (error, place) => void outcome.refusals.push(refusalOf(error, place, deps.log));
  await Promise.all([
    new Reports(deps, caller, refuse).carryOut(frame),
    reportBatches(deps, frame.batches, { caller, refuse }),
    triggerAll(deps, frame.triggers, {
      ...program,
      refuse: (error, index) => refuse(error, { kind: CommandKind.COMMAND_KIND_TRIGGER, index }),
      other: (index, runId) => outcome.otherRuns.push({ index, runId }),
    }),
    storeApart(deps, frame, { caller, refuse }),
  ]);
  return outcome;
}

/** Each report as by the contract's call: the members of a batch are known by the batch's id. */
async function reportBatches(
  deps: CommandDeps,
  batches: readonly BatchActionEvent[],
  { caller, refuse }: { caller: Caller; refuse: Refuse },
): Promise<void> {
  if (batches.length === 0) return;
  const refuseOne = (error: unknown, index: number): void =>
    refuse(error, { kind: CommandKind.COMMAND_KIND_BATCH, index });
  try {
    deps.gate.admit(caller.identity, batchFacts);
  } catch (error) {
    for (const index of batches.keys()) refuseOne(error, index);
    return;
  }
  await Promise.all(
    batches.map(async (event, index) => {
      try {
        await reportBatch(deps, event, caller.tenantId);
      } catch (error) {
        refuseOne(error, index);
      }
    }),
  );
}

interface Report {
  readonly place: Place;
  readonly attempt: Checked<number>;
  readonly item: Parsed<BatchReportItem>;
  readonly ofDurable: boolean;
}

/** What a frame says of attempts. */
class Reports {
  readonly #deps: CommandDeps;
  readonly #caller: Caller;
  readonly #refuse: Refuse;

  constructor(deps: CommandDeps, caller: Caller, refuse: Refuse) {
    this.#deps = deps;
    this.#caller = caller;
    this.#refuse = refuse;
  }

  async carryOut(frame: ConnectRequest): Promise<void> {
    const { started, completed, failed } = frame;
    if (started.length + completed.length + failed.length === 0) return;
    try {
      this.#deps.gate.admit(this.#caller.identity, reportFacts);
    } catch (error) {
      return this.#refuseAll(error, frame);
    }
    const reads = [
      ...started.map(async (report, index) =>
        this.#read({ kind: CommandKind.COMMAND_KIND_STARTED, index }, report, begun),
      ),
      ...completed.map(async (report, index) =>
        this.#read({ kind: CommandKind.COMMAND_KIND_COMPLETED, index }, report, () => this.#completion(report)),
      ),
      ...failed.map(async (report, index) =>
        this.#read({ kind: CommandKind.COMMAND_KIND_FAILED, index }, report, () => failure(report)),
      ),
    ];
    const all = (await Promise.all(reads)).filter((report) => report !== undefined);
    const plain = all.filter(({ ofDurable }) => !ofDurable);
    await Promise.all([
      this.#submit(plain),
      // A durable task's operations are numbered: what is said of it keeps its place among them.
      ...all.filter(({ ofDurable }) => ofDurable).map(async (report) => this.#submitAlone(report)),
    ]);
  }

  async #read(
    place: Place,
    report: AttemptStarted | AttemptCompleted | AttemptFailed,
    readEvent: () => ReportedEvent | Promise<ReportedEvent>,
  ): Promise<Report | undefined> {
    try {
      const taskId = id(report.taskId, "the task run's id");
      const attempt = wholeNumber(report.attempt, 'the attempt', { min: 0, max: largestInteger });
      this.#deps.dispatcher.heard(this.#caller.tenantId, { taskId, attempt, batchId: null });
      const event = readEvent();
      const item = { taskId, attempt, ...(event instanceof Promise ? await event : event) };
      return { place, attempt, item, ofDurable: report.invocation !== undefined };
    } catch (error) {
      this.#refuse(error, place);
      return undefined;
    }
  }

  #refuseAll(error: unknown, { started, completed, failed }: ConnectRequest): void {
    const of = (kind: CommandKind, list: readonly unknown[]): void => {
      for (const index of list.keys()) this.#refuse(error, { kind, index });
    };
    of(CommandKind.COMMAND_KIND_STARTED, started);
    of(CommandKind.COMMAND_KIND_COMPLETED, completed);
    of(CommandKind.COMMAND_KIND_FAILED, failed);
  }

  async #completion({ output }: AttemptCompleted): Promise<ReportedEvent> {
    const outcome = await reportedOutcome(this.#deps.owner.payloads, this.#caller.tenantId, output);
    return outcome.ok
      ? { event: 'completed', output: outcome.output }
      : { event: 'failed', error: outcome.error, mayRetry: true };
  }

  /** Together; where something of all of them cannot be stored, each by itself. */
  async #submit(all: readonly Report[]): Promise<void> {
    const { tenantId } = this.#caller;
    if (all.length === 0) return;
    try {
      await this.#deps.owner.submit({
        kind: 'batchReport',
        tenantId,
        batchId: null,
        items: all.map(({ item }) => item),
      });
    } catch (error) {
      if (all.length > 1 && isOfOne(error)) await Promise.all(all.map(async (report) => this.#submit([report])));
      else for (const { place } of all) this.#refuse(error, place);
    }
  }

  async #submitAlone({ item, attempt, place }: Report): Promise<void> {
    const { tenantId } = this.#caller;
    const { taskId } = item;
    const ref = { tenantId, taskId, attempt };
    const { owner } = this.#deps;
    try {
      if (item.event === 'started') await owner.submit({ kind: 'started', ...ref });
      else if (item.event === 'completed') await owner.submit({ kind: 'completed', ...ref, output: item.output });
      else if (item.event === 'failed') await owner.submit({ ...item, ...ref, kind: 'failed' });
    } catch (error) {
      this.#refuse(error, place);
    }
  }
}

type ReportedEvent =
  | { event: 'started' }
  | { event: 'completed'; output: Checked<string> }
  | { event: 'failed'; error: Checked<string>; mayRetry: boolean; retryAfterMs?: Checked<number> | null };

function begun(): ReportedEvent {
  return { event: 'started' };
}

function failure({ error, shouldNotRetry, retryAfterMs }: AttemptFailed): ReportedEvent {
  return {
    event: 'failed',
    error: reportedFailure(error),
    mayRetry: !shouldNotRetry,
    retryAfterMs: retryDelay(retryAfterMs),
  };
}

/** One of several commands may be the only one at fault. */
function isOfOne(error: unknown): boolean {
  return error instanceof HatchetError && (error.code === 'COMMAND_FAILED' || error.code === 'PAYLOAD_TOO_LARGE');
}

interface TriggerPorts extends Program {
  refuse: (error: unknown, index: number) => void;
  /** The run has another id than the program gave. */
  other: (index: number, runId: string) => void;
}

interface PreparedTrigger {
  readonly index: number;
  readonly trigger: Trigger;
  readonly run: Checked<TriggerRun>;
}

async function triggerAll(deps: CommandDeps, triggers: readonly Trigger[], ports: TriggerPorts): Promise<void> {
  if (triggers.length === 0) return;
  const { owner, gate } = deps;
  const facts: CallFacts = { ...triggerFacts, address: ports.address };
  let caller: Caller;
  try {
    caller = gate.admit(ports.caller.identity, facts);
  } catch (error) {
    for (const index of triggers.keys()) ports.refuse(error, index);
    return;
  }
  const prepared = await owner.turns.each(caller.tenantId, triggers, async (trigger, index) => {
    try {
      return { index, trigger, run: await prepare(owner, caller, trigger) };
    } catch (error) {
      ports.refuse(error, index);
      return undefined;
    }
  });
  const good = prepared.filter((each) => each !== undefined);
  caller.note(...good.map(({ run }) => run.runId));
  await start(owner, caller, good, ports);
  void gate.note(caller, facts);
}

/** @throws HatchetError as prepareRun, and INVALID_ARGUMENT for an id that is no fresh UUIDv7 */
async function prepare(
  owner: Commands,
  { tenantId }: Caller,
  { request, runId, again }: Trigger,
): Promise<Checked<TriggerRun>> {
  if (request === undefined) throw invalid('a trigger names no workflow', 'Send the request with it.');
  const given = parseUuid(runId);
  if (given === undefined || !isRecentUuid7(given, idTimeMs(), idWindowMs))
    throw invalid(`the id of a run is ${JSON.stringify(runId)}`, 'Make a fresh UUIDv7 when the run is triggered.');
  return prepareRun(owner, tenantId, { ...triggerRequest(request), runId: given, isNew: !again });
}

/** Together; where something of all of them cannot be stored, each by itself. */
async function start(
  owner: Commands,
  caller: Caller,
  all: readonly PreparedTrigger[],
  ports: TriggerPorts,
): Promise<void> {
  if (all.length === 0) return;
  try {
    const { runIds, collisions } = await owner.submit({
      kind: 'trigger',
      tenantId: caller.tenantId,
      runs: all.map(({ run }) => run),
    });
    const collided = new Map(collisions.map((collision) => [collision.collidingRunId, collision]));
    const made = runIds.values();
    for (const { index, trigger, run } of all) {
      const collision = collided.get(run.runId);
      if (collision !== undefined) {
        tryRefuse(
          () => refuseCollisions([collision], [], false),
          (error) => ports.refuse(error, index),
        );
        continue;
      }
      const runId = made.next().value ?? run.runId;
      if (runId !== trigger.runId) ports.other(index, runId);
      if (trigger.await) ports.await(runId);
    }
  } catch (error) {
    if (all.length > 1 && isOfOne(error))
      await Promise.all(all.map(async (each) => start(owner, caller, [each], ports)));
    else for (const { index } of all) ports.refuse(error, index);
  }
}

function tryRefuse(refuse: () => void, refused: (error: unknown) => void): void {
  try {
    refuse();
  } catch (error) {
    refused(error);
  }
}
