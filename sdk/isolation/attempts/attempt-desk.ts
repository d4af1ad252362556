import type { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { applyNamespace } from '../../config/client-config.ts';
import type { Connection } from '../../connection/connection.ts';
import type { ContextHost, LogLine, WorkerLabels } from '../../context/context-host.ts';
import { HatchetError, isError } from '../../errors.ts';
import { fieldOf, textFieldOf } from '../../failure/safe-reads.ts';
import { startBulk, startEach, startOne } from '../../run/start-runs.ts';
import type { IsolatedStep } from '../definition/isolated-step.ts';
import { textsOf, type Answer, type Call } from '../messages/messages.ts';
import { toWireError } from '../messages/wire-error.ts';

/** What an attempt in a runner is served with. */
export interface DeskFacts {
  readonly step: IsolatedStep;
  readonly action: AssignedAction;
  readonly host: ContextHost;
  readonly connection: Connection;
  readonly signal: AbortSignal;
}

/** What a sandbox's task may ask for. All else would reach beyond its own run. */
const ofSandbox: ReadonlySet<string> = new Set([
  'logged',
  'putStream',
  'startOne',
  'startBulk',
  'startEach',
  'outcomes',
  'cancelTasks',
]);

/** In the worker: does what the task of a runner asks for, in the name of its attempt and of no other, as far as it is granted. */
export class AttemptDesk {
  readonly #facts: DeskFacts;
  /** Runs that this attempt has started. */
  readonly #started = new Set<string>();
  #lastLine: Promise<void> = Promise.resolve();

  constructor(facts: DeskFacts) {
    this.#facts = facts;
  }

  /** A line of the task: to the run's log and, unless nobody trusts what it says, to the worker's. */
  log(line: LogLine): void {
    this.#lastLine = this.#facts.host.log(line);
    if (this.#facts.step.level !== 'sandbox') this.#echo(line);
  }

  #echo({ level, message }: LogLine): void {
    const { host, action } = this.#facts;
    const text = `${action.taskName}: ${message}`;
    const { logger } = host;
    if (level === 'DEBUG') void logger.debug(text);
    else if (level === 'INFO') void logger.info(text);
    else if (level === 'WARN') void logger.warn(text);
    else void logger.error(text);
  }

  /** Gives an answer for every call. */
  async answer({ call, name, given }: Call): Promise<Answer> {
    try {
      this.#checkGranted(name);
      return { type: 'answer', call, value: await this.#do(name, given) };
    } catch (error) {
      return { type: 'answer', call, error: toWireError(error) };
    }
  }

  async #do(name: string, given: unknown): Promise<unknown> {
    const { host, action, connection, signal } = this.#facts;
    const id = action.taskRunExternalId;
    switch (name) {
      case 'logged':
        return await this.#lastLine;
      case 'putStream':
        return await host.putStream(id, {
          number: Number(fieldOf(given, 'number')),
          chunk: Buffer.from(textFieldOf(given, 'chunk') ?? '', 'base64'),
        });
      case 'startOne':
        return this.#keep([await startOne(connection, this.#firstRequest(given))])[0];
      case 'startBulk':
        return this.#keep(await startBulk(connection, this.#requests(given)));
      case 'startEach':
        return this.#keep(await startEach(connection, this.#requests(given))).map((one) =>
          isError(one) ? toWireError(one) : one,
        );
      case 'outcomes':
        return await host.runner.outcomes(this.#ownRun(given), signal);
      case 'cancelTasks':
        return await host.runner.cancelTasks(textsOf(given).map((one) => (one === id ? one : this.#ownRun(one))));
      case 'replayTasks':
        return await host.runner.replayTasks(textsOf(given));
      case 'refreshTimeout':
        return await host.refreshTimeout(id, String(given));
      case 'releaseSlot':
        return await host.releaseSlot(id);
      case 'upsertLabels':
        return await host.upsertLabels(labelsOf(given));
      default:
        throw new HatchetError('NOT_SUPPORTED', `the worker knows no call ${name}`, {
          remedy: 'Use one version of hatchet-ts in the program',
        });
    }
  }

  #checkGranted(name: string): void {
    const { step } = this.#facts;
    if (step.level === 'sandbox' && !ofSandbox.has(name))
      throw new HatchetError(
        'NOT_GRANTED',
        `the task ${step.label} runs in a sandbox, where ctx.${name === 'replayTasks' ? 'replay' : name} is refused`,
        { remedy: 'Do it in a task that is trusted' },
      );
  }

  #firstRequest(given: unknown): TriggerWorkflowRequest {
    const [request] = this.#requests(given);
    if (request === undefined) throw new HatchetError('INVALID_ARGUMENT', 'no run was asked for');
    return request;
  }

  /** Whatever they say, they are children of this attempt. */
  #requests(given: unknown): TriggerWorkflowRequest[] {
    const { action, connection, step } = this.#facts;
    return textsOf(given).map((text) => {
      const request = TriggerWorkflowRequest.decode(Buffer.from(text, 'base64'));
      const name = applyNamespace(request.name, connection.config.namespace).toLowerCase();
      if (
        step.level === 'sandbox' &&
        !step.grants.children.some((child) => applyNamespace(child, connection.config.namespace).toLowerCase() === name)
      ) {
        throw new HatchetError(
          'NOT_GRANTED',
          `the task ${step.label} runs in a sandbox, and may not start ${request.name}`,
          { remedy: `Grant it: isolation: { level: 'sandbox', children: ['${request.name.slice(0, 200)}'] }` },
        );
      }
      return { ...request, name, parentId: action.workflowRunId, parentTaskRunExternalId: action.taskRunExternalId };
    });
  }

  #keep<Started>(started: Started[]): Started[] {
    for (const id of started) if (typeof id === 'string') this.#started.add(id);
    return started;
  }

  /** Of a sandbox: results of other runs are none of its business. */
  #ownRun(given: unknown): string {
    const id = String(given);
    const { step } = this.#facts;
    if (step.level === 'sandbox' && !this.#started.has(id))
      throw new HatchetError(
        'NOT_GRANTED',
        `the task ${step.label} runs in a sandbox, and the run ${id.slice(0, 200)} is none that it has started`,
        { remedy: 'Read it in a task that is trusted, and hand over what is needed' },
      );
    return id;
  }
}

function labelsOf(given: unknown): WorkerLabels {
  return Object.fromEntries(
    Object.entries(Object(given)).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [],
    ),
  );
}
