import type { Identity } from '../../auth/tokens.ts';
import { Caller } from '../../edge/access/caller.ts';
import { longestInline } from '../../model/limits.ts';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  type Trigger,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import type { AskedCalls, Told } from '../by-link/linked-calls.ts';
import { AttemptReports, type AttemptReportDeps } from './attempt-reports.ts';
import type { Place } from './refusals.ts';
import { triggerRuns, type TriggerDeps } from './trigger-runs.ts';

/**
 * The commonest of the contract's calls, in the engine that carries them out: those of a token that come in one turn of the event
 * loop become one command, as those of a session's frame do.
 */
export class CallsTogether {
  readonly #deps: TriggerDeps & AttemptReportDeps;
  readonly #reports: AttemptReports;
  readonly #ofTokens = new WeakMap<Identity, CallsOfToken>();

  constructor(deps: TriggerDeps & AttemptReportDeps) {
    this.#deps = deps;
    this.#reports = new AttemptReports(deps);
  }

  of({ identity }: Caller): AskedCalls {
    const known = this.#ofTokens.get(identity);
    if (known !== undefined) return known;
    const made = new CallsOfToken(identity, this.#deps, this.#reports);
    this.#ofTokens.set(identity, made);
    return made;
  }
}

/** Those of one turn, and who is to be told of each. */
class Turn {
  readonly started: AttemptStarted[] = [];
  readonly completed: AttemptCompleted[] = [];
  readonly failed: AttemptFailed[] = [];
  readonly triggers: Trigger[] = [];
  readonly #tells = new Map<CommandKind, Told[]>();

  add(kind: CommandKind, tell: Told): void {
    const tells = this.#tells.get(kind);
    if (tells === undefined) this.#tells.set(kind, [tell]);
    else tells.push(tell);
  }

  /** Each is told once. */
  tell({ kind, index }: Place, answer: Parameters<Told>[0]): void {
    const tells = this.#tells.get(kind);
    const tell = tells?.[index];
    if (tells === undefined || tell === undefined) return;
    tells[index] = told;
    tell(answer);
  }

  /** Those that were not told yet. */
  tellRest(kinds: readonly CommandKind[], answer: Parameters<Told>[0]): void {
    for (const kind of kinds) for (const tell of this.#tells.get(kind) ?? []) tell(answer);
  }
}

const told: Told = () => undefined;
const { COMMAND_KIND_STARTED, COMMAND_KIND_COMPLETED, COMMAND_KIND_FAILED, COMMAND_KIND_TRIGGER } = CommandKind;
const reportKinds = [COMMAND_KIND_STARTED, COMMAND_KIND_COMPLETED, COMMAND_KIND_FAILED];

class CallsOfToken implements AskedCalls {
  readonly #identity: Identity;
  readonly #deps: TriggerDeps;
  readonly #reports: AttemptReports;
  #turn: Turn | undefined;

  constructor(identity: Identity, deps: TriggerDeps, reports: AttemptReports) {
    this.#identity = identity;
    this.#deps = deps;
    this.#reports = reports;
  }

  started(report: AttemptStarted, _: number, tell: Told): void {
    const turn = this.#thisTurn();
    turn.started.push(report);
    turn.add(COMMAND_KIND_STARTED, tell);
  }

  completed(report: AttemptCompleted, _: number, tell: Told): void {
    // Another thread reads a long output: nobody else waits for that.
    const turn = this.#turnFor(report.output.length);
    turn.completed.push(report);
    turn.add(COMMAND_KIND_COMPLETED, tell);
  }

  failed(report: AttemptFailed, _: number, tell: Told): void {
    const turn = this.#thisTurn();
    turn.failed.push(report);
    turn.add(COMMAND_KIND_FAILED, tell);
  }

  trigger(request: TriggerWorkflowRequest, given: { runId: string; isRepeated: boolean }): Promise<string> {
    const { runId, isRepeated: again } = given;
    const turn = this.#turnFor(request.input.length);
    turn.triggers.push({ runId, request, again, await: false });
    return new Promise((resolve, reject) =>
      turn.add(COMMAND_KIND_TRIGGER, (answer) =>
        'error' in answer ? reject(answer.error) : resolve(answer.runId ?? runId),
      ),
    );
  }

  #turnFor(length: number): Turn {
    return length > longestInline ? this.#begin() : this.#thisTurn();
  }

  #thisTurn(): Turn {
    if (this.#turn !== undefined) return this.#turn;
    this.#turn = this.#begin();
    return this.#turn;
  }

  #begin(): Turn {
    const turn = new Turn();
    setImmediate(() => {
      if (this.#turn === turn) this.#turn = undefined;
      this.#carryOut(turn);
    });
    return turn;
  }

  #carryOut(turn: Turn): void {
    const caller = new Caller(this.#identity);
    const refuse = (error: unknown, place: Place): void => turn.tell(place, { error });
    const reported = this.#reports.carryOut(turn, { caller, workerIds: undefined, refuse });
    reported?.then(
      () => turn.tellRest(reportKinds, {}),
      (error: unknown) => turn.tellRest(reportKinds, { error }),
    );
    if (turn.triggers.length === 0) return;
    const kind = COMMAND_KIND_TRIGGER;
    triggerRuns(this.#deps, turn.triggers, {
      caller,
      address: () => '',
      isRelay: true,
      await: () => undefined,
      refuse: (error, index) => refuse(error, { kind, index }),
      other: (index, runId) => turn.tell({ kind, index }, { runId }),
    }).then(
      () => turn.tellRest([kind], {}),
      (error: unknown) => turn.tellRest([kind], { error }),
    );
  }
}
