import { checkLimit, type TenantLimits } from '../auth/tenant-limits.ts';
import type { Commands, ParsedCommand } from '../edge/parsed-commands.ts';
import { CommandLimits } from '../edge/limits/command-limits.ts';
import type { ReplyByKind, TenantCommand, TenantCommandKind } from '../plan/commands/command.ts';
import type { Owner } from '../shard/owner.ts';
import type { RetentionBound } from './retention-bound.ts';

/** The owner as handlers see it: what it carries out has been parsed, and is within what the tenant may use. */
export function edgeCommands(owner: Owner, limits: TenantLimits, retention: RetentionBound): Commands {
  const commandLimits = new CommandLimits();
  return {
    submit<Kind extends TenantCommandKind>(command: ParsedCommand<Kind>): Promise<ReplyByKind[Kind]> {
      const { tenantId } = command;
      const state = owner.stateOf(tenantId);
      try {
        if (state !== undefined) {
          commandLimits.check(limits.of(tenantId), state, command);
          retention.check(state, command);
        }
        checkKeys(limits, command);
      } catch (error) {
        return Promise.reject(error);
      }
      return owner.submit<Kind>(command);
    },
    stateOf: (tenantId) => owner.stateOf(tenantId),
    served: (tenantId) => owner.served(tenantId),
    get nowUs() {
      return owner.nowUs;
    },
    cel: owner.cel,
    payloads: owner.payloads,
    turns: owner.turns,
  };
}

/** @throws HatchetError LIMIT_REACHED */
function checkKeys(limits: TenantLimits, command: TenantCommand): void {
  if (command.kind !== 'trigger' && command.kind !== 'pushEvent') return;
  const runs =
    command.kind === 'trigger' ? command.runs : command.events.flatMap((event) => event.runs.map(({ run }) => run));
  const more = runs.filter((run) => run.idempotency !== null).length;
  if (more === 0) return;
  const keys = limits.heldKeys(command.tenantId);
  checkLimit(limits.of(command.tenantId), 'idempotencyKeys', keys.count + more);
  keys.count += more;
}
