import type { HostTimer } from '../../engine/base/host.ts';
import { delay } from '../../engine/base/host.ts';
import { HatchetError } from '../../engine/base/errors.ts';
import { openDurableStream } from '../../engine/grpc/durable/open-durable-stream.ts';
import { markChecked } from '../../engine/model/checked.ts';
import type { EngineLink } from '../../link/engine-link.ts';
import { DurableEventListenerConditions } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import {
  DurableTaskErrorType,
  type DurableEventLogEntryRef,
  type DurableTaskRequest,
  type DurableTaskResponse,
} from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { runProgram, type Operations, type Program } from '../model/durable-program.ts';
import { Chances } from './chances.ts';
import type { SimulatedStream } from './network.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { WorkerSurroundings } from './surroundings.ts';
import type { ToldStart } from './told-task.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

type Request = NonNullable<DurableTaskRequest['message']>;
type Response = NonNullable<DurableTaskResponse['message']>;

const statusMs = 1_000;
const forgottenMs = 17_000;

/** The worker whose durable tasks they are. */
export interface DurableWorker {
  readonly process: SimulatedProcess;
  readonly facts: { readonly tenantId: TenantId };
  readonly workerId: string | undefined;
  /** That it listens to. */
  readonly engine: SimulatedEngine | undefined;
  call<T>(engine: SimulatedEngine, serve: (at: SimulatedEngine) => T | Promise<T>): Promise<T>;
  /** Says it until an engine has taken it. @param invocation which start of the task says it */
  report(report: DurableReport, invocation: number): Promise<void>;
}

type DurableReport =
  | { kind: 'started'; tenantId: TenantId; taskId: string; attempt: number }
  | { kind: 'completed'; tenantId: TenantId; taskId: string; attempt: number; output: string }
  | { kind: 'failed'; tenantId: TenantId; taskId: string; attempt: number; error: string; mayRetry: boolean };

interface Asked {
  request: Request;
  answered: (response: Response) => void;
}

/** One start of a durable task: its code, and what that has asked for. */
class Invocation {
  readonly taskId: string;
  readonly number: number;
  readonly attempt: number;
  /** Sent or to be sent, in order; the answers come in the same order. */
  readonly asked: Asked[] = [];
  readonly waiting = new Map<string, (failed: boolean, payload: string) => void>();
  /** Values of memos that the engine may not have: said again on a new stream. */
  readonly memos = new Map<string, Request>();
  isOver = false;

  constructor({ taskId, invocation, attempt }: ToldStart) {
    this.taskId = taskId;
    this.number = invocation ?? 0;
    this.attempt = attempt;
  }
}

/** What carries the requests of a worker's durable tasks. */
interface Carrier {
  send(request: Request): void;
  /** Whether what is said now can come through at once. */
  readonly isOpen: boolean;
  end(): void;
  /** Its connection breaks. @param awayMs of a link: no other is let in meanwhile */
  cut(awayMs: number): void;
}

/** The durable tasks of a worker: their code is run for real, and what it asks for goes over a stream that may break, or by its program's link. */
export class DurableSide {
  readonly #world: WorkerSurroundings;
  readonly #worker: DurableWorker;
  readonly #chances: Chances;
  readonly #invocations = new Map<string, Invocation>();
  /** Those that leave, until the engine knows. Where their stream broke before they were answered, their tasks start again at once. */
  readonly #leaving = new Map<string, { invocation: Invocation; startsAgain: boolean }>();
  #stream: Carrier | undefined;
  #isRegistered = false;
  #onNextAsk: (() => void) | undefined;
  #connectedTo: string | undefined;
  #timer: HostTimer | undefined;

  constructor(world: WorkerSurroundings, worker: DurableWorker) {
    this.#world = world;
    this.#worker = worker;
    this.#chances = new Chances(world.seed, `durable ${worker.process.name}`);
  }

  /** Whether its stream is to that engine, or is being opened there. */
  isConnectedTo(engine: SimulatedEngine, workerId: string): boolean {
    return this.#connectedTo === `${engine.process.name} ${workerId}`;
  }

  connect(engine: SimulatedEngine, workerId: string): void {
    this.#drop();
    this.#connectedTo = `${engine.process.name} ${workerId}`;
    const { process } = this.#worker;
    const stream: SimulatedStream<Response, Request> = this.#world.network.open(process, engine.process);
    const carrier: Carrier = {
      send: (request) => stream.sendToServer(request),
      get isOpen() {
        return stream.isOpen;
      },
      end: () => stream.cut(),
      cut: () => stream.cut(),
    };
    this.#stream = carrier;
    stream.onClient = (response) => this.#take(response);
    stream.onClientEnd = () => {
      if (this.#stream !== carrier) return;
      this.#lost();
      // As long as it listens to this engine.
      void delay(process, 300).then(() => {
        if (this.#stream === carrier && this.#worker.workerId === workerId && this.#worker.engine === engine)
          this.connect(engine, workerId);
      });
    };
    const { tenantId } = this.#worker.facts;
    this.#world
      .stream(process, engine, stream, {
        tenantId,
        begin: (at, { send, fail, isOver }) => {
          const server = openDurableStream(
            { owner: at.commands, links: at.core.links, results: at.results, log: at.log },
            {
              tenantId: markChecked(tenantId),
              strict: false,
              write: (response) => {
                if (isOver()) return;
                this.#world.invariants.answered(response);
                send(response);
              },
              fail: (error) => fail(error instanceof Error ? error : new Error(String(error))),
            },
          );
          return { handle: (message) => server.handle({ message }), end: () => server.end() };
        },
      })
      .catch(() => stream.cut());
    this.#begin(carrier, workerId);
  }

  /** What is asked for goes by the link, which comes back by itself: only where its session is forgotten is the stream lost. */
  connectByLink(link: EngineLink, workerId: string, cut: (awayMs: number) => void): void {
    this.#drop();
    const { process } = this.#worker;
    const stream = link.openDurable(workerId, {
      onMessage: (response) => this.#take(response),
      onCut: () => undefined,
      onResumed: () => undefined,
      onEnded: () => {
        if (this.#stream !== carrier) return;
        this.#lost();
        void delay(process, 300).then(() => {
          if (this.#stream === carrier && this.#worker.workerId === workerId) this.connectByLink(link, workerId, cut);
        });
      },
    });
    const carrier: Carrier = {
      send: (request) => stream.send(request),
      get isOpen() {
        return link.isOpen;
      },
      end: () => stream.end(),
      cut,
    };
    this.#stream = carrier;
    this.#begin(carrier, workerId);
  }

  #begin(carrier: Carrier, workerId: string): void {
    carrier.send({ $case: 'registerWorker', value: { workerId } });
    this.#timer = this.#worker.process.setInterval(() => this.#status(), statusMs);
  }

  disconnect(): void {
    this.#lost();
    this.#drop();
  }

  /** The stream breaks once its code has asked for something more, before or after that is answered. */
  cutNext(onCut: () => void): void {
    this.#onNextAsk = () => {
      const stream = this.#stream;
      onCut();
      // So long that the engine forgets a session.
      const awayMs = this.#chances.is(0.4) ? forgottenMs : 0;
      this.#worker.process.in(this.#chances.between(0.2, 6), () => stream?.cut(awayMs));
    };
  }

  start(message: ToldStart): void {
    const invocation = new Invocation(message);
    const before = this.#invocations.get(message.taskId);
    if (before !== undefined) before.isOver = true;
    this.#invocations.set(message.taskId, invocation);
    void this.#run(invocation, message);
  }

  /** The attempt is over. */
  cancel(taskId: string, number: number): void {
    const invocation = this.#invocations.get(taskId);
    if (invocation !== undefined && invocation.number <= number) this.#end(invocation);
  }

  async #run(invocation: Invocation, message: ToldStart): Promise<void> {
    const { process, facts } = this.#worker;
    const { taskId, attempt } = message;
    const input: { program: Program } = JSON.parse(message.input);
    await this.#worker.report({ kind: 'started', tenantId: facts.tenantId, taskId, attempt }, invocation.number);
    const output = await runProgram(input.program, this.#operations(invocation));
    await delay(process, 1);
    if (invocation.isOver) return;
    this.#end(invocation);
    await this.#worker.report(
      { kind: 'completed', tenantId: facts.tenantId, taskId, attempt, output: JSON.stringify(output) },
      invocation.number,
    );
  }

  #operations(invocation: Invocation): Operations {
    const task = { durableTaskExternalId: invocation.taskId, invocationCount: invocation.number };
    let children = 0;
    const wait = async (name: string, { ms, key }: { ms?: number; key?: string }): Promise<string> =>
      this.#ask(invocation, {
        $case: 'waitFor',
        value: {
          ...task,
          label: undefined,
          waitForConditions: DurableEventListenerConditions.fromPartial({
            sleepConditions:
              ms === undefined ? [] : [{ base: { readableDataKey: name, orGroupId: 'g' }, sleepFor: `${ms}ms` }],
            userEventConditions:
              key === undefined ? [] : [{ base: { readableDataKey: name, orGroupId: 'g' }, userEventKey: key }],
          }),
        },
      });
    const child = (name: string, fails: boolean, onAnswer?: () => void): Promise<string> =>
      this.#ask(
        invocation,
        {
          $case: 'triggerRuns',
          value: {
            ...task,
            triggerOpts: [
              TriggerWorkflowRequest.fromPartial({
                name: 'kid',
                input: JSON.stringify({ name, fails }),
                childIndex: children++,
              }),
            ],
          },
        },
        onAnswer,
      );
    return {
      sleep: (name, ms) => wait(name, { ms }),
      event: (name, key) => wait(name, { key }),
      either: (name, ms, key) => wait(name, { ms, key }),
      child: (name, fails) => child(name, fails),
      spawn: (name, fails) =>
        new Promise((answered) => {
          const result = child(name, fails, () => answered({ result }));
          result.catch(() => undefined);
        }),
      memo: (name) =>
        this.#ask(invocation, {
          $case: 'memo',
          value: { ...task, key: Buffer.from(name), payload: undefined },
        }),
    };
  }

  /** Settles with the node's result. */
  #ask(invocation: Invocation, request: Request, onAnswer?: () => void): Promise<string> {
    return new Promise((resolve, reject) => {
      if (invocation.isOver) return;
      const settle = (failed: boolean, payload: string): void => {
        if (failed) reject(new Error(payload));
        else resolve(payload);
      };
      invocation.asked.push({
        request,
        answered: (response) => {
          const ref = refOf(response);
          if (ref === undefined) return;
          if (response.$case === 'memoAck') {
            const { memoAlreadyExisted, memoResultPayload } = response.value;
            const value = memoAlreadyExisted
              ? (memoResultPayload?.toString() ?? 'null')
              : JSON.stringify(`memo of ${invocation.taskId}/${invocation.number}`);
            invocation.waiting.set(keyOf(ref), (failed) => settle(failed, value));
            if (!memoAlreadyExisted) {
              const memo: Request = {
                $case: 'completeMemo',
                value: {
                  ref: { ...ref, durableTaskExternalId: invocation.taskId, invocationCount: invocation.number },
                  payload: Buffer.from(value),
                  memoKey: request.$case === 'memo' ? request.value.key : Buffer.alloc(0),
                },
              };
              invocation.memos.set(keyOf(ref), memo);
              this.#stream?.send(memo);
            }
          } else invocation.waiting.set(keyOf(ref), settle);
          onAnswer?.();
          this.#status();
        },
      });
      if (!this.#isRegistered) return;
      this.#stream?.send(request);
      this.#onNextAsk?.();
      this.#onNextAsk = undefined;
    });
  }

  #take(response: Response): void {
    if (response.$case === 'registerWorker') return this.#registered();
    if (response.$case === 'evictionAck') {
      const { durableTaskExternalId: taskId, invocationCount } = response.value;
      const leaving = this.#leaving.get(taskId);
      if (leaving === undefined || leaving.invocation.number !== invocationCount) return;
      this.#leaving.delete(taskId);
      return leaving.startsAgain ? void this.#restore(taskId) : undefined;
    }
    const taskId =
      response.$case === 'triggerRunsAck' || response.$case === 'serverEvict'
        ? response.value.durableTaskExternalId
        : (response.value.ref?.durableTaskExternalId ?? '');
    const number =
      response.$case === 'triggerRunsAck' || response.$case === 'serverEvict'
        ? response.value.invocationCount
        : (response.value.ref?.invocationCount ?? 0);
    const invocation = this.#invocations.get(taskId);
    if (invocation === undefined || invocation.number !== number || invocation.isOver) return;
    if (response.$case === 'serverEvict') return this.#end(invocation);
    if (response.$case === 'entryCompleted') {
      const { ref, isFailure, payload, errorMessage } = response.value;
      if (ref === undefined) return;
      const settle = invocation.waiting.get(keyOf(ref));
      invocation.waiting.delete(keyOf(ref));
      invocation.memos.delete(keyOf(ref));
      settle?.(isFailure, isFailure ? (errorMessage ?? '') : payload.toString());
      return;
    }
    if (response.$case === 'error') {
      this.#end(invocation);
      if (response.value.errorType === DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM)
        this.#world.invariants.broken(`a replay went another way: ${response.value.errorMessage}`);
      // Refused whole: the attempt fails.
      void this.#worker.report(
        {
          kind: 'failed',
          tenantId: this.#worker.facts.tenantId,
          taskId,
          attempt: invocation.attempt,
          error: JSON.stringify({ message: response.value.errorMessage }),
          mayRetry: true,
        },
        invocation.number,
      );
      return;
    }
    invocation.asked.shift()?.answered(response);
  }

  /** A new stream: what was asked for in vain is asked for now, behind what waits already. */
  #registered(): void {
    this.#isRegistered = true;
    for (const { invocation } of this.#leaving.values()) this.#sayEviction(invocation);
    this.#status();
    for (const { asked, memos } of this.#invocations.values()) {
      for (const memo of memos.values()) this.#stream?.send(memo);
      for (const { request } of asked) this.#stream?.send(request);
    }
    // Tasks that wait for long leave their worker.
    const chances = new Chances(this.#world.seed, `evict ${this.#worker.workerId}`);
    const look = (): void => {
      for (const invocation of this.#invocations.values())
        if (invocation.waiting.size > 0 && invocation.asked.length === 0 && chances.is(0.25)) {
          this.#end(invocation);
          this.#leaving.set(invocation.taskId, { invocation, startsAgain: false });
          this.#sayEviction(invocation);
        }
    };
    const stream = this.#stream;
    const timer = this.#worker.process.setInterval(() => {
      if (this.#stream !== stream || stream === undefined || !this.#isRegistered) timer.clear();
      else if (stream.isOpen) look();
    }, 4_000);
  }

  #sayEviction({ taskId, number }: Invocation): void {
    this.#stream?.send({
      $case: 'evictInvocation',
      value: { durableTaskExternalId: taskId, invocationCount: number, reason: 'it waits' },
    });
  }

  async #restore(taskId: string): Promise<void> {
    const { tenantId } = this.#worker.facts;
    for (;;) {
      const engine = this.#worker.engine;
      try {
        if (engine !== undefined) {
          await this.#worker.call(engine, (at) => at.owner.submit({ kind: 'durableRestore', tenantId, taskId }));
          return;
        }
      } catch (error) {
        // It has ended.
        if (error instanceof HatchetError && error.code === 'UNKNOWN_RUN') return;
      }
      await delay(this.#worker.process, 500);
    }
  }

  #status(): void {
    if (!this.#isRegistered) return;
    const waitingEntries = [...this.#invocations.values()].flatMap((invocation) =>
      [...invocation.waiting.keys()].map((key) => {
        const [branch = '0', node = '0'] = key.split(' ');
        return {
          durableTaskExternalId: invocation.taskId,
          invocationCount: invocation.number,
          branchId: BigInt(branch),
          nodeId: BigInt(node),
        };
      }),
    );
    const { workerId } = this.#worker;
    if (waitingEntries.length > 0 && workerId !== undefined)
      this.#stream?.send({ $case: 'workerStatus', value: { workerId, waitingEntries } });
  }

  #end(invocation: Invocation): void {
    invocation.isOver = true;
    if (this.#invocations.get(invocation.taskId) === invocation) this.#invocations.delete(invocation.taskId);
  }

  /** What was not answered may have been taken or not: its invocation gives up. */
  #lost(): void {
    if (!this.#isRegistered) return;
    this.#isRegistered = false;
    for (const invocation of Array.from(this.#invocations.values())) {
      if (invocation.asked.length === 0) continue;
      this.#end(invocation);
      this.#leaving.set(invocation.taskId, { invocation, startsAgain: true });
    }
  }

  #drop(): void {
    this.#connectedTo = undefined;
    this.#timer?.clear();
    this.#isRegistered = false;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.end();
  }
}

function keyOf(ref: Pick<DurableEventLogEntryRef, 'branchId' | 'nodeId'>): string {
  return `${ref.branchId} ${ref.nodeId}`;
}

function refOf(response: Response): DurableEventLogEntryRef | undefined {
  if (response.$case === 'triggerRunsAck') {
    const [entry] = response.value.runEntries;
    return entry === undefined
      ? undefined
      : { durableTaskExternalId: '', invocationCount: 0, branchId: entry.branchId, nodeId: entry.nodeId };
  }
  return response.$case === 'memoAck' || response.$case === 'waitForAck' ? response.value.ref : undefined;
}
