import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { RunDetail } from '../monitor/runs/run-detail.ts';
import { isTerminal } from '../model/task/status.ts';
import { readWithin } from '../monitor/budget/answers-in-flight.ts';
import { readLogLines } from '../monitor/lines/log-reads.ts';
import type { StreamLogsResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { logLineMessage } from './monitor-messages.ts';
import type { StreamedAnswer } from './streamed-answer.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

const pageLines = 1000;
const pageBytes = 1024 * 1024;
/** A worker holds a result back for its last lines, but not for long: those that come later are waited for while they come. */
const lateMs = 300;

export interface LogStreamDeps {
  pool: Pool;
  /** Resolves when a run has ended, or the signal aborts. */
  runEnd(tenantId: TenantId, runId: string, signal: AbortSignal): Promise<void>;
  /** Resolves when a line of the tasks was stored, or after a while, or the signal aborts. */
  logWritten(taskIds: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
}

/** Kept lines first, then new ones as they are stored, until the run has ended and all is sent. */
export async function streamLogs(
  deps: LogStreamDeps,
  options: {
    /** The run's, or a task's. */
    id: string;
    answer: StreamedAnswer<StreamLogsResponse>;
    tenantId: TenantId;
    detail: RunDetail;
    after: string | null;
    signal: AbortSignal;
  },
): Promise<void> {
  const { id, answer, tenantId, detail, signal } = options;
  const taskIds = new Set(detail.tasks.map((task) => task.id));
  const wasEnded = isTerminal(detail.status);
  let ended = wasEnded;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  if (!ended) {
    void deps.runEnd(tenantId, detail.id, signal).then(() => {
      setTimeout(() => {
        ended = true;
        over.abort();
      }, lateMs);
    });
  }
  let { after } = options;
  while (!signal.aborted) {
    const last = ended;
    const written = deps.logWritten(taskIds, either);
    const { value, reservation } = await readWithin(pageBytes, async (bytes) => {
      const { lines, more, brought } = await readLogLines(deps.pool, {
        tenantId,
        id,
        after,
        levels: [],
        search: null,
        newest: false,
        limit: pageLines,
        bytes,
      });
      return { value: { lines, more }, brought, leftOut: 0 };
    });
    after = value.lines.at(-1)?.cursor ?? after;
    if (value.lines.length > 0) await answer.send({ lines: value.lines.map(logLineMessage) }, reservation.bytes);
    reservation.release();
    if (value.more) continue;
    if (last && (wasEnded || value.lines.length === 0)) return;
    if (last) await pause(lateMs, undefined, { signal }).catch(() => undefined);
    await written;
  }
}
