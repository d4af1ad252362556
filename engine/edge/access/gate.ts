import type { AuditLog } from '../../auth/audit-log.ts';
import { demand } from '../../auth/role.ts';
import { checkLimit, type TenantLimits } from '../../auth/tenant-limits.ts';
import type { Identity, Tokens } from '../../auth/tokens.ts';
import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { CallRate } from '../limits/call-rate.ts';
import { Caller } from './caller.ts';
import type { OpenCalls } from './open-calls.ts';
import type { CallRule } from './rule.ts';

/** What identifies a call to the gate. */
export interface CallFacts {
  rule: CallRule;
  /** The gRPC method or the REST route. */
  action: string;
  /** Of the caller, without the port. */
  address: () => string;
}

const scheme = /^bearer (.+)$/i;

/** The token that the header `authorization` carries. */
export function tokenIn(authorization: string | undefined): string | undefined {
  return scheme.exec(authorization ?? '')?.[1];
}

/** What every call passes, by gRPC and by REST alike: who calls, whether that is allowed, how much, and what is noted of it. */
export class Gate {
  readonly #tokens: Tokens;
  readonly #audit: AuditLog;
  readonly #open: OpenCalls;
  readonly #limits: TenantLimits;
  readonly #log: Logger;
  readonly #rate = new CallRate();

  constructor(options: { tokens: Tokens; audit: AuditLog; open: OpenCalls; limits: TenantLimits; log: Logger }) {
    this.#tokens = options.tokens;
    this.#audit = options.audit;
    this.#open = options.open;
    this.#limits = options.limits;
    this.#log = options.log;
  }

  /**
   * Whom a call is from; at once where the token was checked a moment ago.
   * @param authorization the header `authorization`
   * @throws HatchetError UNAUTHENTICATED
   */
  identify(authorization: string | undefined): Identity | Promise<Identity> {
    const token = tokenIn(authorization);
    if (token === undefined)
      throw new HatchetError('UNAUTHENTICATED', 'the call carries no token', {
        remedy: 'Set HATCHET_CLIENT_TOKEN, or send the header `Authorization: Bearer <token>`.',
      });
    return this.#tokens.cached(token) ?? this.#tokens.authenticate(token);
  }

  /** @throws HatchetError PERMISSION_DENIED, LIMIT_REACHED */
  admit(identity: Identity, facts: CallFacts): Caller {
    const { rule, action } = facts;
    const caller = new Caller(identity);
    try {
      demand(identity.role, rule.needs, action);
      // Of what a worker reports the number follows from its tasks; refused, they would hang.
      if (rule.kind !== 'report')
        this.#rate.take(identity.tenantId, this.#limits.of(identity.tenantId), performance.now());
    } catch (error) {
      void this.note(caller, facts, error);
      throw error;
    }
    return caller;
  }

  /**
   * Lets a call stay open until it ends by itself, or its token does.
   * @returns to call when it has ended
   * @throws HatchetError LIMIT_REACHED
   */
  hold(caller: Caller, end: (error: HatchetError) => void): () => void {
    const { tenantId } = caller;
    checkLimit(this.#limits.of(tenantId), 'openStreams', this.#open.countOf(tenantId) + 1);
    return this.#open.add(caller.identity, end);
  }

  /** Notes how a call ended, if it is of a kind that is audited. Waits for the line of one that is no start of runs. */
  note(caller: Caller, facts: CallFacts, error?: unknown): Promise<void> | undefined {
    const { kind } = facts.rule;
    if (kind === 'read' || kind === 'report') return undefined;
    const { tenantId, tokenId } = caller.identity;
    const outcome = error === undefined ? 'OK' : codeOf(error);
    const line = { tenantId, tokenId, action: facts.action, ids: caller.ids, address: facts.address(), outcome };
    const written = (kind === 'change' ? this.#audit.write(line) : this.#audit.writeLater(line)).catch(
      (failure: unknown) => {
        this.#log.error(
          { err: failure, tenantId, tokenId, action: facts.action, ids: caller.ids, outcome },
          'an audit line could not be stored; this is all that is left of it',
        );
      },
    );
    return kind === 'change' ? written : undefined;
  }
}

/** Another engine's refusal has its code too. */
function codeOf(error: unknown): string {
  if (error instanceof HatchetError) return error.code;
  const code = error instanceof Error && 'errorCode' in error ? error.errorCode : undefined;
  return typeof code === 'string' ? code : 'INTERNAL';
}
