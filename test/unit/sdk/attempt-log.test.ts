import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../sdk/context/context-host.ts';
import type { Logger } from '../../../sdk/logger.ts';
import { AttemptLog } from '../../../sdk/worker/attempt-log.ts';

function line(message: string): LogLine {
  return { at: new Date(0), level: 'INFO', message, metadata: '{}' };
}

function recorder(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  return { warnings, logger: { debug: () => {}, info: () => {}, warn: (message) => void warnings.push(message), error: () => {} } };
}

describe('AttemptLog', () => {
  it('keeps the order, one line at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 30 }), fc.scheduler(), async (messages, scheduler) => {
        const arrived: string[] = [];
        let inFlight = 0;
        const send = async ({ message }: LogLine): Promise<void> => {
          inFlight += 1;
          expect(inFlight).toBe(1);
          await scheduler.schedule(Promise.resolve());
          inFlight -= 1;
          arrived.push(message);
        };
        const log = new AttemptLog(send, recorder().logger, 'x');
        const written = messages.map((message) => log.write(line(message)));
        const flushed = log.flush();
        await scheduler.waitFor(Promise.all([...written, flushed]));
        expect(arrived).toEqual(messages);
      }),
    );
  });

  it('cuts long lines, and leaves out empty ones', async () => {
    const arrived: string[] = [];
    const log = new AttemptLog(async ({ message }) => arrived.push(message), recorder().logger, 'x');
    await log.write(line('a'.repeat(25_000)));
    await log.write(line(''));
    expect(arrived.map((message) => message.length)).toEqual([10_000, 10_000, 5_000]);
  });

  it('says how many lines it had to leave out', async () => {
    const arrived: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const log = new AttemptLog(
      async ({ message }) => {
        await gate;
        arrived.push(message);
      },
      recorder().logger,
      'x',
    );
    for (let index = 0; index < 10_500; index += 1) void log.write(line(String(index)));
    open();
    await log.flush();
    const kept = arrived.length - 1;
    expect(kept).toBeGreaterThanOrEqual(10_000);
    expect(arrived.slice(0, -1)).toEqual(Array.from({ length: kept }, (_, index) => String(index)));
    expect(arrived.at(-1)).toBe(`${10_500 - kept} log lines were left out: they came faster than the engine could take them`);
  });

  it('does not hold the result up when the engine takes no lines', async () => {
    const { logger, warnings } = recorder();
    const log = new AttemptLog(() => Promise.reject(new Error('away')), logger, 'simple');
    const written = [log.write(line('a')), log.write(line('b')), log.write(line('c'))];
    await Promise.all(written);
    await log.flush();
    expect(warnings).toEqual(['3 log lines of simple could not be handed over']);
  });
});
