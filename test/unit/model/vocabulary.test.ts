import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../engine/model/time/duration.ts';
import { journalLetters, readJournalLetters } from '../../../engine/model/task/journal-letters.ts';
import { replayJournal, statusAfter } from '../../../engine/model/task/transition.ts';
import { retryDelayMs } from '../../../engine/model/task/backoff.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { runOutcome } from '../../../engine/model/task/run-outcome.ts';
import { shardOf } from '../../../engine/model/ids/shard-of.ts';
import { isRecentUuid7, newId, uuidTimeMs } from '../../../engine/model/ids/uuid.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

describe('durations', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000_000), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('adds parts up', () => {
    expect(parseDuration('42m30s')).toBe(2_550_000);
    expect(parseDuration('1h0m0s500ms')).toBe(3_600_500);
    expect(parseDuration('1.5s')).toBe(1500);
  });

  it.each(['', '5', '-5s', '+5s', '5w', '5 s', 's', '5s ', '1e3s', '5S', '99999999999h', '.5s'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('retries', () => {
  it('backs off by the power, up to the maximum and a day', () => {
    expect(retryDelayMs(1, { factor: null, maxSeconds: null })).toBe(0);
    expect([1, 2, 3].map((n) => retryDelayMs(n, { factor: 2, maxSeconds: 5 }))).toEqual([2000, 4000, 5000]);
    expect(retryDelayMs(100, { factor: 10, maxSeconds: null })).toBe(86_400_000);
  });
});

describe('statuses', () => {
  it('ends a run by its worst task', () => {
    const { Completed, Failed, Cancelled } = RunStatus;
    expect(runOutcome([Completed, Completed])).toBe(Completed);
    expect(runOutcome([Completed, Cancelled])).toBe(Cancelled);
    expect(runOutcome([Cancelled, Failed, Completed])).toBe(Failed);
  });

  it('replays a journal to the last status', () => {
    expect(replayJournal(readJournalLetters('rCQATSXRQATSFc'))).toBe(RunStatus.Completed);
    expect(replayJournal(readJournalLetters('rCQHn'))).toBe(RunStatus.Cancelled);
    expect(statusAfter('TIMED_OUT')).toBe(RunStatus.Failed);
  });

  it('stores each transition as a letter of its own, and reads it again', () => {
    const stored = 'CQATSKFXRNOHGWLEPDMUBVIYrcfn';
    const row = readJournalLetters(stored);
    expect(new Set(row).size).toBe(stored.length);
    expect(journalLetters(row)).toBe(stored);
    expect(readJournalLetters('C?F')).toEqual(['CREATED', 'FINISHED']);
  });
});

describe('ids', () => {
  it('are dated and ascending', () => {
    const ids = Array.from({ length: 1000 }, newId);
    expect([...ids].sort()).toEqual(ids);
    expect(Math.abs(uuidTimeMs(ids[0] ?? '') - Date.now())).toBeLessThan(1000);
    expect(isRecentUuid7(ids[0] ?? '', Date.now(), 1000)).toBe(true);
    expect(isRecentUuid7('00000000-0000-7000-8000-000000000000', Date.now(), 1000)).toBe(false);
  });

  it('are of the canonical form, and take no more memory than their characters and a map need', () => {
    const collect = collector();
    collect();
    const before = process.memoryUsage().heapUsed;
    const kept = new Map(Array.from({ length: 50_000 }, (_, index) => [newId(), index]));
    collect();
    expect((process.memoryUsage().heapUsed - before) / kept.size).toBeLessThan(300);
    for (const id of kept.keys())
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('spread tenants over all shards', () => {
    const used = new Set(Array.from({ length: 2000 }, () => shardOf(newTenantId())));
    expect(used.size).toBe(64);
  });
});

/** Of garbage: what is measured after it is kept by somebody. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  if (typeof found !== 'function') throw new Error('there is no collector');
  return () => void Reflect.apply(found, undefined, []);
}
