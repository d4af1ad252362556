import { bulkDeed, type BulkDeed, type BulkRun } from '../admin/bulk-deed.ts';
import { runPages } from '../admin/bulk-runs.ts';
import type { RunAdmin } from '../admin/run-admin.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { askedFilter } from './model/runs/asked-filter.ts';
import type { UiStore } from './ui-store.ts';

export interface BulkPorts {
  store: UiStore;
  connect: () => Pick<RunReader, 'listRuns' | 'getRun' | 'close'>;
  admin: () => Pick<RunAdmin, 'cancel' | 'replay' | 'close'>;
}

export interface BulkEffects {
  markAll(): Promise<void>;
  stopMarking(): void;
  run(deed: BulkDeed, runs: readonly BulkRun[]): Promise<void>;
  /** After the piece that is under way. */
  stop(): void;
}

/** What is done to many runs at once. */
export function bulkEffects({ store, connect, admin: administer }: BulkPorts): BulkEffects {
  let marking = new AbortController();
  let doing = new AbortController();
  return {
    async markAll() {
      marking = new AbortController();
      const { signal } = marking;
      const filter = askedFilter(store.state);
      const runs: BulkRun[] = [];
      let reader: ReturnType<BulkPorts['connect']> | undefined;
      try {
        reader = connect();
        if (filter !== undefined) {
          for await (const rows of runPages(reader, filter)) {
            if (signal.aborted) return;
            runs.push(
              ...rows.map(({ runId, workflow, status, taskCount }) => ({ runId, workflow, status, taskCount })),
            );
            store.dispatch({ type: 'marking', found: runs.length });
          }
        }
        // All of them or none: part of a selection would pass for the whole.
        if (!signal.aborted) store.dispatch({ type: 'runs-marked', runs });
      } catch (error) {
        if (!signal.aborted) store.dispatch({ type: 'marking', found: undefined });
        throw error;
      } finally {
        reader?.close();
      }
    },
    stopMarking: () => marking.abort(),
    async run(deed, runs) {
      doing = new AbortController();
      const opened: { close(): void }[] = [];
      try {
        const admin = administer();
        opened.push(admin);
        const reader = connect();
        opened.push(reader);
        const outcome = await bulkDeed(deed, runs, {
          admin,
          reader,
          signal: doing.signal,
          onProgress: (handled) => store.dispatch({ type: 'bulk-progress', handled }),
        });
        store.dispatch({ type: 'bulk-done', outcome });
      } catch (error) {
        // The dialog waits for an outcome.
        store.dispatch({
          type: 'bulk-done',
          outcome: {
            done: [],
            refused: new Map(),
            tasks: [],
            left: runs.length,
            error: error instanceof Error ? error : new Error(String(error)),
          },
        });
      } finally {
        for (const each of opened) each.close();
      }
    },
    stop: () => doing.abort(),
  };
}
