import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { CliError, wrongUse } from '../../../../cli/cli-error.ts';
import { reportError } from '../../../../cli/output/report-error.ts';
import { ServerError } from '../../../../cli/output/server-error.ts';
import { HatchetError } from '../../../../engine/base/errors.ts';
import { HatchetError as SdkError } from '../../../../sdk/index.ts';

describe('reportError', () => {
  it('says what happened and what to do, without a stack', () => {
    expect(reportError(new CliError('the worker was not built', { remedy: 'Mend it.' }))).toEqual({
      text: 'error: the worker was not built\n  Mend it.',
      exitCode: 1,
    });
    expect(reportError(wrongUse('no such flag'))).toEqual({ text: 'error: no such flag', exitCode: 2 });
  });

  it.each([
    [new HatchetError('PORT_TAKEN', 'taken'), 2],
    [new HatchetError('UNKNOWN_WORKFLOW', 'unknown'), 4],
    [new HatchetError('SCHEMA_NEWER', 'newer'), 1],
    [new HatchetError('POSTGRES_UNREACHABLE', 'away'), 3],
    [new ServerError('no engine', { status: status.UNAVAILABLE, cause: undefined }), 3],
    [new ServerError('bad token', { status: status.UNAUTHENTICATED, cause: undefined }), 3],
    [new ServerError('no such run', { status: status.NOT_FOUND, cause: undefined }), 4],
    [new ServerError('too large', { status: status.RESOURCE_EXHAUSTED, cause: undefined }), 2],
  ])('gives %s its exit code %i', (error, exitCode) => {
    expect(reportError(error).exitCode).toBe(exitCode);
  });

  it('says a remedy once, also where the message has it already, as in errors of the SDK', () => {
    const error = new SdkError('UNKNOWN_WORKFLOW', 'there is no workflow "a"', {
      remedy: 'Start a worker that registers it',
    });
    expect(reportError(error)).toEqual({
      text: 'error: there is no workflow "a"\n  Start a worker that registers it.',
      exitCode: 4,
    });
  });

  it('shows a bug as a bug, with its stack', () => {
    const { text, exitCode } = reportError(new TypeError('x is undefined'));
    expect(exitCode).toBe(1);
    expect(text).toContain('bug');
    expect(text).toContain('report-error.test.ts');
  });
});
