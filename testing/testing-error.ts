export type TestingErrorCode = 'NOT_IN_TIME' | 'INVALID_TIME' | 'NO_POSTGRES' | 'STOPPED';

/** What `hatchet-ts/testing` throws on purpose. What an engine or a client throws passes through as it is. */
export class TestingError extends Error {
  override readonly name = 'TestingError';
  readonly code: TestingErrorCode;
  /** What to do next; part of the message too. */
  readonly remedy: string;

  constructor(code: TestingErrorCode, message: string, remedy: string, cause?: unknown) {
    super(`${message}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
  }
}
