import { kindOf, type CommandByKind, type CommandKind, type ReplyByKind } from '../plan/commands/command.ts';
import { partRows } from '../plan/commands/command-kind.ts';

export interface CommandParts<K extends CommandKind> {
  readonly commands: readonly (CommandByKind[K] & { kind: K })[];
  /** Of the parts, in their order. */
  join(replies: readonly ReplyByKind[K][]): ReplyByKind[K];
}

/** The commands in whose place one stands that brings more than a transaction has room for beside others; undefined where it goes as a whole. */
export function partsOf<K extends CommandKind>(command: CommandByKind[K] & { kind: K }): CommandParts<K> | undefined {
  const { split, weight } = kindOf<K>(command);
  if (split === undefined || weight(command) <= partRows) return undefined;
  return { commands: split.into(command), join: (replies) => split.join(replies) };
}
