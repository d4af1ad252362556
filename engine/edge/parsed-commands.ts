import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Checked } from '../model/checked.ts';
import type { WorkflowDefinition } from '../model/definition.ts';
import type { DurableCondition } from '../model/durable/durable.ts';
import type { CronFields, FilterFields, ScheduleFields } from '../model/stored-rows.ts';
import type { CommandByKind, ReplyByKind, TenantCommandKind } from '../plan/commands/command.ts';
import type { DurableAsk } from '../model/durable/durable-operation.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { TriggerRun } from '../model/task/trigger-run.ts';
import type { TenantTurns } from '../base/tenant-turns.ts';
import type { PayloadReader } from '../payloads/payload-reader.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** What one parser reads and checks as a whole. */
type CheckedWhole =
  | TriggerRun
  | WorkflowDefinition
  | CronFields
  | FilterFields
  | ScheduleFields
  | DurableAsk
  | DurableCondition;

/** T, as the edge may send it: every text and number in it has passed a parser. */
export type Parsed<T> = T extends CheckedWhole
  ? Checked<T>
  : T extends string
    ? string extends T
      ? Checked<T>
      : T
    : T extends number
      ? number extends T
        ? Checked<T>
        : T
      : T extends boolean | null | undefined | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>
        ? T
        : T extends readonly (infer Item)[]
          ? readonly Parsed<Item>[]
          : { readonly [Name in keyof T]: Parsed<T[Name]> };

type ParsedCommands = { [Kind in TenantCommandKind]: Parsed<CommandByKind[Kind]> };

export type ParsedCommand<Kind extends TenantCommandKind> = CommandByKind[Kind] & { kind: Kind } & ParsedCommands[Kind];

/**
 * The owner as handlers see it. A command that holds anything of a caller's which no parser has let through does not compile,
 * so that Postgres never has to refuse it.
 */
export interface Commands {
  submit<Kind extends TenantCommandKind>(command: ParsedCommand<Kind>): Promise<ReplyByKind[Kind]>;
  /** Read-only. Undefined while no shard of the tenant's is served here. */
  stateOf(tenantId: TenantId): ShardState | undefined;
  /** As `stateOf`, as soon as it is served here. @throws HatchetError NOT_OWNER after 30 s, STOPPING */
  served(tenantId: TenantId): Promise<ShardState>;
  readonly nowUs: number;
  readonly cel: CelEvaluator;
  readonly payloads: PayloadReader;
  /** For what prepares many. */
  readonly turns: TenantTurns<TenantId>;
}
