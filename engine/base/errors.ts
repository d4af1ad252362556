/**
 * What a user can meet. Each has a stable code, says what happened and to what, and what to do next.
 * Anything thrown that is not a HatchetError is a bug, and is shown as one.
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNKNOWN_WORKFLOW'
  | 'UNKNOWN_RUN'
  | 'UNKNOWN_WORKER'
  | 'RUN_BUSY'
  | 'UNKNOWN_EVENT'
  | 'UNKNOWN_FILTER'
  | 'UNKNOWN_TIMER'
  | 'UNKNOWN_WEBHOOK'
  | 'UNKNOWN_RATE_LIMIT'
  | 'UNKNOWN_TENANT'
  | 'UNKNOWN_TOKEN'
  | 'UNKNOWN_SERVICE'
  | 'WEBHOOK_REFUSED'
  | 'IDEMPOTENCY_COLLISION'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'LIMIT_REACHED'
  | 'BUSY'
  | 'TOO_SLOW'
  | 'NOT_SUPPORTED'
  | 'DEV_ONLY'
  | 'NOT_OWNER'
  | 'STOPPING'
  | 'PORT_TAKEN'
  | 'EDGE_LOST'
  | 'EDGE_ALONE'
  | 'INSECURE_BIND'
  | 'TLS_UNUSABLE'
  | 'HOST_REFUSED'
  | 'LINK_REFUSED'
  | 'SECRET_KEY_WRONG'
  | 'SECRET_KEY_UNUSABLE'
  | 'DATA_DIR_IN_USE'
  | 'DATA_DIR_UNUSABLE'
  | 'POSTGRES_START'
  | 'POSTGRES_UNREACHABLE'
  | 'POSTGRES_TOO_OLD'
  | 'SCHEMA_NEWER'
  | 'SCHEMA_CHANGED'
  | 'SCHEMA_BEHIND'
  | 'SCHEMA_IN_USE'
  | 'DATABASE_LOCKED'
  | 'COMMAND_FAILED'
  | 'DISK_FULL';

export interface HatchetErrorOptions {
  /** What to do next, one imperative sentence. */
  remedy?: string;
  cause?: unknown;
  /** Facts for machines, such as sizes or ids. */
  details?: Record<string, string | number>;
}

export class HatchetError extends Error {
  override readonly name = 'HatchetError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly details: Record<string, string | number>;

  constructor(code: ErrorCode, message: string, options: HatchetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }
}
