import fc from 'fast-check';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../sdk/context/context-host.ts';
import type { Logger } from '../../../sdk/logger.ts';
import { LogSender, type Wire } from '../../../sdk/worker/logs/log-sender.ts';
import type { PutResult, TaskLine } from '../../../sdk/worker/logs/log-wire.ts';

const taken: PutResult = { refused: undefined, again: [], failure: undefined };

function line(message: string): LogLine {
  return { at: new Date(0), level: 'INFO', message, metadata: '{}' };
}

function recorder(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  return {
    warnings,
    logger: { debug: () => {}, info: () => {}, warn: (message) => void warnings.push(message), error: () => {} },
  };
}

function unavailable(): Error {
  return Object.assign(new Error('away'), { code: status.UNAVAILABLE, details: 'away', metadata: {} });
}

/** An engine that takes everything, and what it took. */
function engine(): { wire: Wire; calls: (readonly TaskLine[])[] } {
  const calls: (readonly TaskLine[])[] = [];
  return { calls, wire: { put: async (lines) => (calls.push(lines), taken) } };
}

const task = { taskRunExternalId: 'a', retryCount: 0 };

describe('LogSender', () => {
  it('hands over each line once, those of an attempt in their order, whatever fails on the way', async () => {
    const step = fc.record({
      of: fc.integer({ min: 0, max: 3 }),
      lines: fc.integer({ min: 1, max: 300 }),
      pause: fc.boolean(),
    });
    const fault = fc.record({
      refused: fc.double({ min: 0, max: 1, noNaN: true }),
      again: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.array(fault, { maxLength: 4 }), async (steps, faults) => {
        const fates = [...faults];
        const arrived = new Map<string, number[]>();
        const refused = new Set<string>();
        let inFlight = 0;
        const put = async (lines: readonly TaskLine[]): Promise<PutResult> => {
          inFlight += 1;
          expect(inFlight).toBe(1);
          expect(lines.length).toBeGreaterThan(0);
          expect(lines.length).toBeLessThanOrEqual(1000);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight -= 1;
          const fate = fates.shift();
          // The first so many lines stand for those that the engine refused, the last so many for those that got lost.
          const bad = lines.slice(0, Math.floor((fate?.refused ?? 0) * lines.length));
          const kept = Math.max(bad.length, lines.length - Math.floor((fate?.again ?? 0) * lines.length));
          for (const { taskRunExternalId, message } of bad) refused.add(`${taskRunExternalId} ${message}`);
          for (const { taskRunExternalId, message } of lines.slice(bad.length, kept))
            arrived.set(taskRunExternalId, [...(arrived.get(taskRunExternalId) ?? []), Number(message)]);
          const again = lines.slice(kept);
          return {
            refused: bad.length === 0 ? undefined : { count: bad.length, reason: new Error('bad') },
            again,
            failure: again.length === 0 ? undefined : unavailable(),
          };
        };
        const sender = new LogSender({ put }, recorder().logger);
        const logs = ['a', 'b', 'c', 'd'].map((id) => ({
          id,
          log: sender.open({ taskRunExternalId: id, retryCount: 0 }),
          written: 0,
        }));
        for (const { of, lines, pause } of steps) {
          const each = logs[of];
          if (each === undefined) continue;
          for (let index = 0; index < lines; index += 1) void each.log.write(line(String(each.written++)));
          if (pause) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(logs.map(({ log }) => log.flush()));
        for (const { id, written } of logs) {
          const expected = Array.from({ length: written }, (_, index) => index).filter(
            (index) => !refused.has(`${id} ${index}`),
          );
          expect(arrived.get(id) ?? []).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('sends what got lost again before what follows it', async () => {
    const arrived: string[] = [];
    let calls = 0;
    const put = async (lines: readonly TaskLine[]): Promise<PutResult> => {
      const again = calls++ === 0 ? lines.slice(500) : [];
      arrived.push(...lines.slice(0, lines.length - again.length).map(({ message }) => message));
      return { refused: undefined, again, failure: again.length === 0 ? undefined : unavailable() };
    };
    const log = new LogSender({ put }, recorder().logger).open(task);
    for (let index = 0; index < 3_000; index += 1) void log.write(line(String(index)));
    await log.flush();
    expect(arrived).toEqual(Array.from({ length: 3_000 }, (_, index) => String(index)));
  });

  it('makes few calls of many lines', async () => {
    const { wire, calls } = engine();
    const log = new LogSender(wire, recorder().logger).open(task);
    for (let index = 0; index < 9_000; index += 1) void log.write(line(String(index)));
    await log.flush();
    expect(calls).toHaveLength(9);
  });

  it('keeps calls below what the engine takes', async () => {
    const { wire, calls } = engine();
    const log = new LogSender(wire, recorder().logger).open(task);
    for (let index = 0; index < 20; index += 1)
      void log.write({ ...line('a'.repeat(10_000)), metadata: JSON.stringify({ text: 'ü'.repeat(55_000) }) });
    await log.flush();
    for (const lines of calls)
      expect(lines.reduce((bytes, each) => bytes + Buffer.byteLength(each.message + each.metadata), 0)).toBeLessThan(
        3 * 1024 * 1024,
      );
    expect(calls.flat()).toHaveLength(20);
  });

  it('lets no attempt wait for the thousands of lines of another', async () => {
    const { wire, calls } = engine();
    const sender = new LogSender(wire, recorder().logger);
    const noisy = sender.open(task);
    for (let index = 0; index < 40_000; index += 1) void noisy.write(line(String(index)));
    const quiet = sender.open({ taskRunExternalId: 'b', retryCount: 0 });
    void quiet.write(line('only'));
    await quiet.flush();
    expect(calls.findIndex((lines) => lines.some(({ message }) => message === 'only'))).toBe(0);
  });

  it('cuts long lines, and leaves out empty ones', async () => {
    const { wire, calls } = engine();
    const log = new LogSender(wire, recorder().logger).open(task);
    void log.write(line('a'.repeat(25_000)));
    void log.write(line(''));
    await log.flush();
    expect(calls.flat().map(({ message }) => message.length)).toEqual([10_000, 10_000, 5_000]);
  });

  it('says how many lines it had to leave out', async () => {
    const { wire, calls } = engine();
    const log = new LogSender(wire, recorder().logger).open(task);
    for (let index = 0; index < 50_500; index += 1) void log.write(line(String(index)));
    await log.flush();
    const messages = calls.flat().map(({ message }) => message);
    expect(messages.slice(0, -1)).toEqual(Array.from({ length: 50_000 }, (_, index) => String(index)));
    expect(messages.at(-1)).toBe('500 log lines were left out: they came faster than the engine could take them');
  });

  it('leaves none out for code that awaits its lines', async () => {
    const { wire, calls } = engine();
    const log = new LogSender(wire, recorder().logger).open(task);
    for (let index = 0; index < 60_000; index += 1) await log.write(line(String(index)));
    await log.flush();
    expect(calls.flat().map(({ message }) => message)).toEqual(
      Array.from({ length: 60_000 }, (_, index) => String(index)),
    );
  });

  it('keeps lines while the engine is away, and says at the stop of the worker what was lost', async () => {
    const { logger, warnings } = recorder();
    const sender = new LogSender(
      { put: async (lines) => ({ refused: undefined, again: lines, failure: unavailable() }) },
      logger,
    );
    const log = sender.open(task);
    for (const message of ['a', 'b', 'c']) void log.write(line(message));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.size).toBe(3);
    await sender.stop(10);
    await log.flush();
    expect(warnings.at(-1)).toBe('3 log lines could not be handed over before the worker stopped');
  });
});
