import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssignedAction, StepActionEventType } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { Logger } from '../../../sdk/logger.ts';
import { stepEvent, type AttemptReport } from '../../../sdk/worker/attempt-result.ts';
import { attemptReports, ReportQueue } from '../../../sdk/worker/report-queue.ts';

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function refusal(code: status, details = 'no'): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

const completed: AttemptReport = {
  workerId: 'w',
  action: AssignedAction.create({ taskRunExternalId: 'task', actionId: 'a:a' }),
  result: { status: 'completed', json: '{"a":1}' },
};

/** A queue whose sends fail as given, then succeed; pauses take no time. */
function queue(failures: status[]): {
  reports: ReportQueue<AttemptReport>;
  sent: AttemptReport[];
  pauses: number[];
} {
  const sent: AttemptReport[] = [];
  const pauses: number[] = [];
  const send = async (report: AttemptReport): Promise<void> => {
    sent.push(report);
    const failure = failures[sent.length - 1];
    if (failure !== undefined) throw refusal(failure);
  };
  const reports = new ReportQueue(attemptReports(send), quiet, async (ms) => void pauses.push(ms));
  return { reports, sent, pauses };
}

const transient = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNKNOWN,
  status.ABORTED,
  status.CANCELLED,
];

describe('ReportQueue', () => {
  it('offers a result until the engine has it, unchanged, with growing pauses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...transient), { maxLength: 40 }), async (failures) => {
        const { reports, sent, pauses } = queue(failures);
        expect(await reports.deliver(completed, () => true)).toBe(true);
        expect(sent).toHaveLength(failures.length + 1);
        expect(new Set(sent)).toEqual(new Set([completed]));
        expect(pauses.every((ms, index) => ms >= Math.min(5_000, 100 * 2 ** index) / 2 && ms <= 5_000)).toBe(true);
      }),
    );
  });

  it('drops a result that is no longer wanted', async () => {
    const { reports, sent } = queue([status.UNAVAILABLE, status.UNAVAILABLE]);
    expect(await reports.deliver(completed, () => sent.length < 2)).toBe(false);
    expect(sent).toHaveLength(2);
    expect(await reports.deliver(completed, () => false)).toBe(false);
    expect(sent).toHaveLength(2);
  });

  it.each([status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED])(
    'turns an output that is refused with %i into a failure',
    async (code) => {
      const { reports, sent } = queue([code]);
      expect(await reports.deliver(completed, () => true)).toBe(true);
      const [, second = completed] = sent;
      expect(stepEvent(second)).toMatchObject({
        eventType: StepActionEventType.STEP_EVENT_TYPE_FAILED,
        shouldNotRetry: true,
        eventPayload: '{"message":"the engine refused the output: no"}',
      });
    },
  );

  it.each([status.NOT_FOUND, status.UNAUTHENTICATED, status.FAILED_PRECONDITION])(
    'does not repeat what is refused with %i',
    async (code) => {
      const { reports, sent } = queue([code]);
      expect(await reports.deliver(completed, () => true)).toBe(false);
      expect(sent).toHaveLength(1);
    },
  );

  it('ends with the worker', async () => {
    const { reports } = queue(Array.from({ length: 100 }, () => status.UNAVAILABLE));
    reports.stop();
    expect(await reports.deliver(completed, () => true)).toBe(false);
  });
});
