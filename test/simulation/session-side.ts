import { status } from '@grpc/grpc-js';
import { HatchetError } from '../../engine/base/errors.ts';
import { delay } from '../../engine/base/host.ts';
import type { BatchReportItem } from '../../engine/plan/commands/attempts/batch-report.ts';
import type { LinkAnswer } from '../../link/link-command.ts';
import { statusIn } from '../../link/service-error.ts';
import { BatchActionEvent, StepActionEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { AttemptReport } from './attempt-report.ts';
import type { DurableSide } from './durable-side.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedLink } from './simulated-link.ts';
import { toldBySession, type ToldTask } from './told-task.ts';

/** As the SDK has it: how long one try of a result may take, and how long a start is said. */
const tryMs = 15_000;
const startMs = 30_000;
const againMs = 500;

const eventTypes = {
  started: StepActionEventType.STEP_EVENT_TYPE_STARTED,
  completed: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
  failed: StepActionEventType.STEP_EVENT_TYPE_FAILED,
  cancelled: StepActionEventType.STEP_EVENT_TYPE_CANCELLED,
};

/** A worker whose tasks and reports go by its program's session. */
export class SessionSide {
  readonly #program: SimulatedLink;
  readonly #durable: DurableSide;
  readonly #take: (told: ToldTask) => void;
  #attached: { engine: SimulatedEngine; sinceMs: number } | undefined;
  #leave: () => void = () => undefined;

  constructor(program: SimulatedLink, durable: DurableSide, take: (told: ToldTask) => void) {
    this.#program = program;
    this.#durable = durable;
    this.#take = take;
  }

  /** Whether the program has a stream there. */
  hasStreamAt(engine: SimulatedEngine): boolean {
    return this.#program.hasStreamAt(engine);
  }

  /** That the program has reached. */
  get engine(): SimulatedEngine | undefined {
    return this.#program.engine;
  }

  /** From which its tasks come. */
  get servedBy(): SimulatedEngine | undefined {
    return this.#attached?.engine;
  }

  get openSinceMs(): number {
    return this.#attached?.sinceMs ?? Infinity;
  }

  attachedAt(engine: SimulatedEngine, nowMs: number): () => void {
    const attached = { engine, sinceMs: nowMs };
    this.#attached = attached;
    return () => {
      if (this.#attached === attached) this.#attached = undefined;
    };
  }

  cut(): void {
    this.#program.cut({ first: 'both', laterMs: 0, awayMs: 0 });
  }

  /** It is known under another id from now on. */
  leave(): void {
    this.#leave();
  }

  /** Resolves when its tasks come no more. @throws HatchetError UNKNOWN_WORKER */
  async listen(workerId: string): Promise<void> {
    const { link } = this.#program;
    try {
      await new Promise<void>((resolve, reject) => {
        const detach = link.attach(workerId, {
          onAction: (action) => this.#take(toldBySession(action)),
          onCut: () => undefined,
          onEnded: (error) =>
            statusIn(error) === status.NOT_FOUND
              ? reject(new HatchetError('UNKNOWN_WORKER', 'the engine does not know it'))
              : resolve(),
        });
        this.#leave = () => {
          detach();
          resolve();
        };
        this.#durable.connectByLink(link, workerId, (awayMs) =>
          this.#program.cut({ first: 'both', laterMs: 0, awayMs }),
        );
      });
    } finally {
      this.#durable.disconnect();
    }
  }

  /** Nobody waits for a start. */
  async report(report: AttemptReport, invocation: number | undefined): Promise<void> {
    const { link } = this.#program;
    const ref = { taskId: report.taskId, attempt: report.attempt, invocation };
    if (report.kind === 'started') return link.started(ref, startMs, () => undefined);
    await this.#insist((tell) => {
      if (report.kind === 'completed')
        link.completed({ ...ref, output: report.output, shouldNotRetry: false }, tryMs, tell);
      else link.failed({ ...ref, error: report.error, shouldNotRetry: !report.mayRetry }, tryMs, tell);
    });
  }

  async reportBatch(batchId: string, items: readonly BatchReportItem[]): Promise<void> {
    const report = BatchActionEvent.fromPartial({
      batchId,
      eventType: eventTypes[items[0]?.event ?? 'started'],
      items: items.map((item) => ({
        taskRunExternalId: item.taskId,
        eventPayload: item.event === 'completed' ? item.output : item.event === 'failed' ? item.error : '',
        shouldNotRetry: item.event === 'failed' ? !item.mayRetry : undefined,
      })),
    });
    await this.#insist((tell) => {
      this.#program.link.reportedBatch(report, tryMs).then(
        () => tell({}),
        (error: unknown) => tell({ error }),
      );
    });
  }

  /** Says it until an engine has taken it. */
  async #insist(say: (tell: (answer: LinkAnswer) => void) => void): Promise<void> {
    for (;;) {
      const answer = await new Promise<LinkAnswer>((resolve) => say(resolve));
      if (!('error' in answer)) return;
      await delay(this.#program.process, againMs);
    }
  }
}
