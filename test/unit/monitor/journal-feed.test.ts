import { setMaxListeners } from 'node:events';
import { Pool } from 'pg';
import { afterEach, expect, it } from 'vitest';
import type { HistoryRow } from '../../../engine/model/stored-rows.ts';
import { JournalFeed, type FeedPage } from '../../../engine/monitor/journal/journal-feed.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { tenantOf } from '../../helpers/tenant.ts';

/** Never connected: nobody here asks for what is stored. */
const feed = new JournalFeed(new Pool());
const abort = new AbortController();
setMaxListeners(0, abort.signal);

afterEach(() => abort.abort());

/** How often a row was asked whose it is. */
let looks = 0;

function rowOf(tenantId: TenantId, runId: string, seq: number): HistoryRow {
  return {
    taskId: runId,
    seq,
    attempt: 0,
    transitions: ['QUEUED'],
    workerId: null,
    message: null,
    stepName: 's',
    workflowName: 'w',
    get tenantId() {
      looks++;
      return tenantId;
    },
    runId,
  };
}

it('offers a row to those who follow its tenant or its run, and looks at nobody else', async () => {
  const heard = new Map<string, FeedPage[]>();
  const follow = async (name: string, tenantId: TenantId): Promise<void> => {
    const pages: FeedPage[] = [];
    heard.set(name, pages);
    const { signal } = abort;
    for await (const page of feed.read({ tenantId, runId: null, after: null, nowSeq: 0, signal })) pages.push(page);
  };
  for (let n = 0; n < 1_000; n++) void follow(`${n}`, tenantOf(`tenant ${n}`));
  void follow('again', tenantOf('tenant 7'));
  await new Promise((resolve) => setImmediate(resolve));
  looks = 0;
  feed.publish([
    rowOf(tenantOf('tenant 7'), 'r1', 1),
    rowOf(tenantOf('tenant 9'), 'r2', 2),
    rowOf(tenantOf('nobody'), 'r3', 3),
  ]);
  expect(looks).toBeLessThan(10);
  await new Promise((resolve) => setImmediate(resolve));
  const runs = (name: string): string[] =>
    (heard.get(name) ?? []).flatMap(({ events }) => events.map(({ runId }) => runId));
  expect([runs('7'), runs('again'), runs('9'), runs('8')]).toEqual([['r1'], ['r1'], ['r2'], []]);
});
