import type { Commands, ParsedCommand } from './edge/commands.ts';
import type { Checked } from './model/checked.ts';
import type { CommandKind, ReplyByKind } from './plan/command.ts';
import type { Owner } from './shard/owner.ts';

/** The owner as handlers see it: what it carries out has been parsed. */
export function edgeCommands(owner: Owner): Commands {
  return {
    submit<Kind extends CommandKind>(tenantId: Checked<string>, command: ParsedCommand<Kind>): Promise<ReplyByKind[Kind]> {
      return owner.submit<Kind>(tenantId, command);
    },
    stateOf: (tenantId) => owner.stateOf(tenantId),
    get nowUs() {
      return owner.nowUs;
    },
    cel: owner.cel,
  };
}
