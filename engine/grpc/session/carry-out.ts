import type { Caller } from '../../edge/access/caller.ts';
import type { Gate } from '../../edge/access/gate.ts';
import type { Logger } from '../../base/log.ts';
import { isMovedAway } from '../../base/not-owner.ts';
import {
  CommandKind,
  type ConnectRequest,
  type OtherRun,
  type Refusal,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import { AttemptReports, type AttemptReportDeps } from './attempt-reports.ts';
import { reportBatches } from './batch-reports.ts';
import { refusalOf, type Refuse } from './refusals.ts';
import { storeApart, type ApartDeps } from './store-apart.ts';
import { triggerRuns } from './trigger-runs.ts';

export interface CommandDeps extends ApartDeps, AttemptReportDeps {
  gate: Pick<Gate, 'admit' | 'note'>;
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
  /** Its workers whose tasks come by the session; undefined where it carries several programs'. */
  readonly workerIds: Iterable<string> | undefined;
  /** The run's end is to be told. */
  readonly await: (runId: string) => void;
}

/** Carries out what programs ask, all of a kind as one command. */
export class FrameCommands {
  readonly #deps: CommandDeps;
  readonly #reports: AttemptReports;

  constructor(deps: CommandDeps) {
    this.#deps = deps;
    this.#reports = new AttemptReports(deps);
  }

  /** A program's stream is cut. */
  cut(tenantId: Caller['tenantId']): void {
    this.#reports.hurry(tenantId);
  }

  /** Resolves once each of a frame's commands is stored or refused. @throws HatchetError NOT_OWNER where the frame is for another engine */
  async carryOut(frame: ConnectRequest, program: Program): Promise<CommandOutcome> {
    const outcome: CommandOutcome = { refusals: [], otherRuns: [] };
    const { caller, workerIds } = program;
    let moved: unknown;
    const refuse: Refuse = (error, place) => {
      if (isMovedAway(error)) moved = error;
      else outcome.refusals.push(refusalOf(error, place, this.#deps.log));
    };
    const waiting: Promise<unknown>[] = [];
    const reports = this.#reports.carryOut(frame, { caller, workerIds, refuse });
    if (reports !== undefined) waiting.push(reports);
    if (frame.batches.length > 0) waiting.push(reportBatches(this.#deps, frame.batches, { caller, refuse }));
    if (frame.triggers.length > 0)
      waiting.push(
        triggerRuns(this.#deps, frame.triggers, {
          ...program,
          isRelay: workerIds === undefined,
          refuse: (error, index) => refuse(error, { kind: CommandKind.COMMAND_KIND_TRIGGER, index }),
          other: (index, runId) => outcome.otherRuns.push({ index, runId }),
        }),
      );
    if (frame.chunks.length + frame.lines.length > 0) waiting.push(storeApart(this.#deps, frame, { caller, refuse }));
    await Promise.all(waiting);
    if (moved !== undefined) throw moved;
    return outcome;
  }
}
