import { describe, expect, it } from 'vitest';
import { parseActionPayload } from '../../../sdk/context/action-payload.ts';
import { toldFailure } from '../../../sdk/failure/parse-failure.ts';
import { plainRun } from '../../../sdk/run/without-envelope.ts';

describe('what engines tell, each in its own shape', () => {
  const asSent = JSON.stringify({ message: 'it broke', stack: 'Error: it broke\n    at fn', code: 'E42' });

  it('a failure is its message, whether it comes as text or as it was sent', () => {
    expect(toldFailure(asSent)).toEqual({ message: 'it broke', stack: 'Error: it broke\n    at fn', code: 'E42' });
    expect(toldFailure('it broke')).toEqual({ message: 'it broke', stack: undefined, code: undefined });
    for (const text of ['{"message":5}', '[1]', 'null', '"quoted"', '{', ''])
      expect(toldFailure(text).message).toBe(text);
  });

  it("an on-failure task gets messages of a run's failed tasks", () => {
    expect(
      parseActionPayload(JSON.stringify({ step_run_errors: { sent: asSent, text: 'Task exceeded timeout of 1s' } }))
        .errors,
    ).toEqual({ sent: 'it broke', text: 'Task exceeded timeout of 1s' });
  });

  it("a run's input is unwrapped, and one that only looks like an envelope is not", () => {
    const envelope = {
      input: { n: 1 },
      overrides: null,
      parents: {},
      triggered_by: 'manual',
      triggers: {},
      user_data: null,
    };
    expect(plainRun({ input: envelope, errorMessage: asSent })).toEqual({ input: { n: 1 }, errorMessage: 'it broke' });
    for (const input of [{ input: { n: 1 } }, { ...envelope, more: 1 }, { n: 1 }, null, 5, [envelope]])
      expect(plainRun({ input })).toEqual({ input });
    expect(plainRun({})).toEqual({});
  });
});
