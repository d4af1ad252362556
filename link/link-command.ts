import type { BatchActionEvent } from '../proto/gen/hatchet/contract/dispatcher.ts';
import type { PutStreamEventRequest } from '../proto/gen/hatchet/contract/events.ts';
import type { TriggerWorkflowRequest } from '../proto/gen/hatchet/contract/v1/trigger.ts';
import type { NewLogLine } from '../proto/gen/hatchet/monitor/v1/monitor.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  ConnectRequest,
  type DurableRequests,
} from '../proto/gen/hatchet/session/v1/session.ts';
import type { DurableRequest } from './linked-durable-streams.ts';

/** A frame's commands: what is more goes with the next ones. */
export const mostInFrame = 200;
const leastCost = 20;

/** What a program asks of the engine by its link. */
export type CommandFacts =
  | { readonly kind: 'attach' | 'detach' | 'await'; readonly id: string }
  | { readonly kind: 'started'; readonly report: AttemptStarted }
  | { readonly kind: 'completed'; readonly report: AttemptCompleted }
  | { readonly kind: 'failed'; readonly report: AttemptFailed }
  | { readonly kind: 'batch'; readonly report: BatchActionEvent }
  | { readonly kind: 'chunk'; readonly chunk: PutStreamEventRequest }
  /** On the worker's durable stream; without a request: it ends. */
  | { readonly kind: 'durable'; readonly workerId: string; readonly request: DurableRequest | undefined }
  /** All lines of a frame. */
  | { readonly kind: 'lines'; readonly lines: readonly NewLogLine[] }
  | {
      readonly kind: 'trigger';
      readonly runId: string;
      readonly request: TriggerWorkflowRequest;
      readonly isAwaited: boolean;
    };

/** What became of a command. */
export type LinkAnswer =
  | {
      /** Of a trigger: the run's id, where it is another than was given. */
      readonly runId?: string;
      /** Of lines: by their places, why they were not stored. */
      readonly refused?: ReadonlyMap<number, unknown> | undefined;
    }
  | { readonly error: unknown };

/** A command on its way, until the engine has stored or refused it. */
export interface LinkCommand {
  readonly facts: CommandFacts;
  /** About its bytes. */
  readonly weight: number;
  /** By the clock of its host: after it whoever waits is told that the engine could not be reached. */
  giveUpAt: number;
  /** It was sent in a session that the engine may have forgotten. */
  isRepeated: boolean;
  /** Of lines, while the frame is not done. */
  refused: Map<number, unknown> | undefined;
  /** Undefined once it is answered. */
  settle: ((answer: LinkAnswer) => void) | undefined;
}

export function weightOf(facts: CommandFacts): number {
  switch (facts.kind) {
    case 'completed':
      return 80 + facts.report.output.length;
    case 'failed':
      return 80 + facts.report.error.length;
    case 'trigger':
      return 120 + facts.request.input.length + (facts.request.additionalMetadata?.length ?? 0);
    case 'batch':
      return facts.report.items.reduce((sum, { eventPayload }) => sum + 80 + eventPayload.length, 120);
    case 'chunk':
      return 80 + facts.chunk.message.length;
    case 'durable':
      return facts.request === undefined ? 50 : durableWeight(facts.request);
    case 'lines':
      return facts.lines.reduce((sum, { message, metadata }) => sum + 80 + message.length + metadata.length, 0);
    default:
      return 50;
  }
}

function durableWeight(request: DurableRequest): number {
  switch (request.$case) {
    case 'memo':
      return 60 + request.value.key.length + (request.value.payload?.length ?? 0);
    case 'completeMemo':
      return 100 + request.value.payload.length + request.value.memoKey.length;
    case 'triggerRuns':
      return request.value.triggerOpts.reduce(
        (sum, { input, additionalMetadata }) => sum + 120 + input.length + (additionalMetadata?.length ?? 0),
        60,
      );
    case 'workerStatus':
      return 50 + 50 * request.value.waitingEntries.length;
    default:
      return 150;
  }
}

/** A frame that was sent, and its commands. */
export interface LinkFrame {
  readonly request: ConnectRequest;
  readonly all: readonly LinkCommand[];
  /** Those that the engine may answer one by one, in the order in which the request has them. */
  readonly byKind: ReadonlyMap<CommandKind, readonly LinkCommand[]>;
  readonly weight: number;
  /** What it holds is stored apart from tasks. */
  readonly isApart: boolean;
  /** Of the commands that may be under way: a frame of few counts for some of its own, one that is stored apart for a full one. */
  readonly cost: number;
}

export function emptyRequest(): ConnectRequest {
  return {
    hello: undefined,
    number: 0n,
    takenThrough: 0n,
    attach: [],
    detach: [],
    started: [],
    completed: [],
    failed: [],
    triggers: [],
    await: [],
    batches: [],
    chunks: [],
    lines: [],
    durable: [],
  };
}

export function frameOf(number: number, commands: readonly LinkCommand[]): LinkFrame {
  const request = emptyRequest();
  request.number = BigInt(number);
  const byKind = new Map<CommandKind, LinkCommand[]>();
  let weight = 0;
  const add = (kind: CommandKind, command: LinkCommand): void => {
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [command]);
    else list.push(command);
  };
  for (const command of commands) {
    const { facts } = command;
    weight += command.weight;
    switch (facts.kind) {
      case 'started':
        request.started.push(facts.report);
        add(CommandKind.COMMAND_KIND_STARTED, command);
        break;
      case 'completed':
        request.completed.push(facts.report);
        add(CommandKind.COMMAND_KIND_COMPLETED, command);
        break;
      case 'failed':
        request.failed.push(facts.report);
        add(CommandKind.COMMAND_KIND_FAILED, command);
        break;
      case 'trigger':
        request.triggers.push({
          runId: facts.runId,
          request: facts.request,
          await: facts.isAwaited,
          again: command.isRepeated,
        });
        add(CommandKind.COMMAND_KIND_TRIGGER, command);
        break;
      case 'batch':
        request.batches.push(facts.report);
        add(CommandKind.COMMAND_KIND_BATCH, command);
        break;
      case 'chunk':
        request.chunks.push(facts.chunk);
        add(CommandKind.COMMAND_KIND_CHUNK, command);
        break;
      case 'lines':
        request.lines = [...facts.lines];
        add(CommandKind.COMMAND_KIND_LINE, command);
        break;
      case 'durable':
        addDurable(request.durable, facts);
        break;
      default:
        request[facts.kind].push(facts.id);
    }
  }
  const isApart = request.chunks.length + request.lines.length > 0;
  const cost = isApart ? mostInFrame : Math.max(commands.length, leastCost);
  return { request, all: commands, byKind, weight, isApart, cost };
}

/** Why a frame cannot be written: a value of a type that its message does not take. */
export function whyUnwritable(request: ConnectRequest): string | undefined {
  try {
    ConnectRequest.encode(request);
    return undefined;
  } catch (error) {
    return `the request cannot be written: ${String(error)}`;
  }
}

/** In its place among what the worker's stream carries. */
function addDurable(durable: DurableRequests[], { workerId, request }: CommandFacts & { kind: 'durable' }): void {
  let last = durable.findLast((each) => each.workerId === workerId);
  if (last === undefined || last.ends) durable.push((last = { workerId, requests: [], ends: false }));
  if (request === undefined) last.ends = true;
  else last.requests.push({ message: request });
}

/** The frame goes to an engine that may have had it, and does not know that. Durable streams are as if they broke. */
export function markRepeated({ request, all }: LinkFrame): void {
  request.durable = [];
  for (const trigger of request.triggers) trigger.again = true;
  for (const command of all) {
    command.isRepeated = true;
    command.refused = undefined;
  }
}
