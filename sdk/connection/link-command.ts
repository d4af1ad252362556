import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import {
  CommandKind,
  type AttemptCompleted,
  type AttemptFailed,
  type AttemptStarted,
  type ConnectRequest,
} from '../../proto/gen/hatchet/session/v1/session.ts';

/** What a program asks of the engine by its link. */
export type CommandFacts =
  | { readonly kind: 'attach' | 'detach' | 'await'; readonly id: string }
  | { readonly kind: 'started'; readonly report: AttemptStarted }
  | { readonly kind: 'completed'; readonly report: AttemptCompleted }
  | { readonly kind: 'failed'; readonly report: AttemptFailed }
  | {
      readonly kind: 'trigger';
      readonly runId: string;
      readonly request: TriggerWorkflowRequest;
      readonly isAwaited: boolean;
    };

/** A command on its way, until the engine has stored or refused it. */
export interface LinkCommand {
  readonly facts: CommandFacts;
  /** About its bytes. */
  readonly weight: number;
  /** By performance.now(): after it whoever waits is told that the engine could not be reached. */
  readonly giveUpAt: number;
  /** It was sent in a session that the engine may have forgotten. */
  isRepeated: boolean;
  /** Undefined once it is answered. @param runId of a trigger: the run's id, where it is another than was given */
  settle: ((answer: { runId?: string } | { error: unknown }) => void) | undefined;
}

export function weightOf(facts: CommandFacts): number {
  switch (facts.kind) {
    case 'completed':
      return 80 + facts.report.output.length;
    case 'failed':
      return 80 + facts.report.error.length;
    case 'trigger':
      return 120 + facts.request.input.length + (facts.request.additionalMetadata?.length ?? 0);
    default:
      return 50;
  }
}

/** A frame that was sent, and its commands in the order in which it has them. */
export interface LinkFrame {
  readonly request: ConnectRequest;
  readonly commands: ReadonlyMap<CommandKind, readonly LinkCommand[]>;
  /** Those that the engine does not answer one by one. */
  readonly others: readonly LinkCommand[];
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
  };
}

export function frameOf(number: number, commands: readonly LinkCommand[]): LinkFrame {
  const request = emptyRequest();
  request.number = BigInt(number);
  const byKind = new Map<CommandKind, LinkCommand[]>();
  const others: LinkCommand[] = [];
  const add = (kind: CommandKind, command: LinkCommand): void => {
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [command]);
    else list.push(command);
  };
  for (const command of commands) {
    const { facts } = command;
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
      default:
        request[facts.kind].push(facts.id);
        others.push(command);
    }
  }
  return { request, commands: byKind, others };
}

/** The frame goes to an engine that may have had it, and does not know that. */
export function markRepeated({ request, commands }: LinkFrame): void {
  for (const trigger of request.triggers) trigger.again = true;
  for (const list of commands.values()) for (const command of list) command.isRepeated = true;
}

export function* commandsOf({ commands, others }: LinkFrame): Generator<LinkCommand> {
  for (const list of commands.values()) yield* list;
  yield* others;
}
