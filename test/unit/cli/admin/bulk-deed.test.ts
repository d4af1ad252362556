import { expect, it } from 'vitest';
import { bulkDeed } from '../../../../cli/admin/bulk-deed.ts';
import type { RunStatusName } from '../../../../cli/status-name.ts';
import { makeDetail } from '../ui/ui-world.ts';

it('does not take a run that had ended for cancelled, though the engine names it', async () => {
  const now: Record<string, RunStatusName> = { ended: 'COMPLETED', reopened: 'CANCELLED', open: 'CANCELLED' };
  const reader = {
    getRun: (id: string) => Promise.resolve(makeDetail([], { runId: id, status: now[id] ?? 'QUEUED' })),
  };
  // A Hatchet cluster gives back every id that it was sent.
  const admin = {
    cancel: (ids: readonly string[]) => Promise.resolve(ids),
    replay: (ids: readonly string[]) => Promise.resolve(ids),
  };
  const runs = [
    { runId: 'ended', status: 'COMPLETED', taskCount: 1 },
    { runId: 'reopened', status: 'FAILED', taskCount: 1 },
    { runId: 'open', status: 'RUNNING', taskCount: 1 },
  ] as const;
  const outcome = await bulkDeed('cancel', runs, {
    admin,
    reader,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  expect([...outcome.done].sort()).toEqual(['open', 'reopened']);
  expect([...outcome.refused]).toEqual([['ended', 'COMPLETED before']]);
});
