import { beforeEach, expect, it } from 'vitest';
import { AnswerWatch, type SentAttempt } from '../../../engine/dispatch/answer-watch.ts';
import { WorkerSession, type WorkerLink } from '../../../engine/dispatch/worker-session.ts';
import { tenantOf } from '../../helpers/tenant.ts';

let watch: AnswerWatch;
let sessions: number;

beforeEach(() => {
  watch = new AnswerWatch();
  sessions = 0;
});

function worker(): { session: WorkerSession; link: WorkerLink } {
  const session = new WorkerSession({ workerId: `w${sessions++}`, tenantId: tenantOf('t'), nowMs: 0 });
  const link: WorkerLink = { send: () => undefined, close: () => undefined };
  session.attach(link, 0);
  return { session, link };
}

function attempt(taskId: string): SentAttempt {
  return { taskId, attempt: 0, invocation: null, batchId: null };
}

function sweeps(count: number): string[] {
  const due: string[] = [];
  for (let n = 0; n < count; n++)
    for (const attempts of watch.due().values()) due.push(...attempts.map(({ taskId }) => taskId));
  return due;
}

it('is due once its worker has said nothing of any task for five seconds', () => {
  const { session, link } = worker();
  watch.sent(session, link, attempt('a'));
  expect(sweeps(5)).toEqual([]);
  expect(sweeps(1)).toEqual(['a']);
  expect(sweeps(10)).toEqual([]);
});

it('is not due while its worker speaks of others, and is due after that', () => {
  const { session, link } = worker();
  for (const id of ['a', 'b', 'c']) watch.sent(session, link, attempt(id));
  expect(sweeps(4)).toEqual([]);
  watch.heard({ taskId: 'b', attempt: 0, batchId: null }, session);
  expect(sweeps(5)).toEqual([]);
  expect(sweeps(1)).toEqual(['a', 'c']);
});

it('waits for what is sent again from then on, and for nothing on another stream or of a worker that is gone', () => {
  const [first, second, third] = [worker(), worker(), worker()];
  watch.sent(first.session, first.link, attempt('again'));
  watch.sent(second.session, second.link, attempt('elsewhere'));
  watch.sent(third.session, third.link, attempt('gone'));
  expect(sweeps(4)).toEqual([]);
  watch.sent(second.session, second.link, attempt('again'));
  first.session.attach({ ...first.link }, 0);
  watch.drop(third.session);
  expect(sweeps(2)).toEqual(['elsewhere']);
  expect(sweeps(4)).toEqual(['again']);
});

it('gives so many at once, and looks at none of a worker that is slow', () => {
  const [silent, slow] = [worker(), worker()];
  for (let n = 0; n < 1_200; n++) watch.sent(silent.session, silent.link, attempt(`s${n}`));
  let looked = 0;
  for (let n = 0; n < 1_000; n++)
    watch.sent(slow.session, slow.link, {
      attempt: 0,
      invocation: null,
      batchId: null,
      get taskId() {
        looked++;
        return `x${n}`;
      },
    });
  looked = 0;
  const given: number[] = [];
  for (let n = 0; n < 8; n++) {
    watch.heard({ taskId: 'another', attempt: 0, batchId: null }, slow.session);
    given.push(sweeps(1).length);
  }
  expect(given).toEqual([0, 0, 0, 0, 0, 500, 500, 200]);
  expect(looked).toBe(0);
});
