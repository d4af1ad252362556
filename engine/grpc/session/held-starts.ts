import { processHost, type Host, type HostTimer } from '../../base/host.ts';
import type { Caller } from '../../edge/access/caller.ts';
import type { Parsed } from '../../edge/parsed-commands.ts';
import type { BatchReportItem } from '../../plan/commands/attempts/batch-report.ts';

type TenantId = Caller['tenantId'];
export type ReportItem = Parsed<BatchReportItem>;

/**
 * A start waits for so long for the end of its attempt, which says it too: stored with it, it costs no row of its own, and half of
 * the short tasks' updates with them. It is what a task that goes on is shown to have started too late.
 */
const holdMs = 10;
/** Of a tenant. With more the others are stored at once: each keeps its frame unacknowledged. */
const mostHeld = 2_000;

/** The starts of one frame. */
interface Group {
  left: number;
  readonly settled: () => void;
  readonly refuse: (error: unknown, start: HeldStart) => void;
}

export interface HeldStart {
  readonly item: ReportItem;
  /** Among the starts of its frame. */
  readonly index: number;
}

interface Held extends HeldStart {
  readonly group: Group;
}

interface TenantStarts {
  readonly byTask: Map<string, Held>;
  readonly timer: HostTimer;
}

/**
 * Starts that are not stored yet. Nothing is lost with them: their frames are not acknowledged before they are stored, so that their
 * programs send them again to whoever serves the tenant next.
 */
export class HeldStarts {
  readonly #store: (tenantId: TenantId, items: readonly ReportItem[]) => Promise<unknown>;
  readonly #host: Host;
  readonly #byTenant = new Map<TenantId, TenantStarts>();

  /** @param store rejects where none of them is stored */
  constructor(store: (tenantId: TenantId, items: readonly ReportItem[]) => Promise<unknown>, host: Host = processHost) {
    this.#store = store;
    this.#host = host;
  }

  /** Resolves once each is stored, by itself or by the end of its attempt, or refused. */
  hold(tenantId: TenantId, starts: readonly HeldStart[], refuse: Group['refuse']): Promise<void> {
    return new Promise((resolve) => {
      const group: Group = { left: starts.length, settled: resolve, refuse };
      let held = this.#byTenant.get(tenantId);
      if (held === undefined) {
        held = { byTask: new Map(), timer: this.#host.setTimeout(() => this.hurry(tenantId), holdMs) };
        this.#byTenant.set(tenantId, held);
      }
      const { byTask } = held;
      const others: Held[] = [];
      for (const start of starts) {
        const one = { ...start, group };
        if (byTask.size >= mostHeld || byTask.has(start.item.taskId)) others.push(one);
        else byTask.set(start.item.taskId, one);
      }
      this.#storeNow(tenantId, others);
    });
  }

  /** The ends of attempts are about to be stored, which say their starts too. @returns to be called once they are */
  takeFor(tenantId: TenantId, ends: readonly ReportItem[]): () => void {
    const byTask = this.#byTenant.get(tenantId)?.byTask;
    const taken: Held[] = [];
    if (byTask !== undefined)
      for (const { taskId, attempt } of ends) {
        const held = byTask.get(taskId);
        if (held?.item.attempt !== attempt) continue;
        byTask.delete(taskId);
        taken.push(held);
      }
    return () => {
      for (const held of taken) settle(held);
    };
  }

  /** Stores what is held of a tenant: its time is over, or a program of it is gone, of whose tasks all is to be known. */
  hurry(tenantId: TenantId): void {
    const held = this.#byTenant.get(tenantId);
    if (held === undefined) return;
    held.timer.clear();
    this.#byTenant.delete(tenantId);
    this.#storeNow(tenantId, [...held.byTask.values()]);
  }

  #storeNow(tenantId: TenantId, starts: readonly Held[]): void {
    if (starts.length === 0) return;
    this.#store(
      tenantId,
      starts.map(({ item }) => item),
    ).then(
      () => {
        for (const start of starts) settle(start);
      },
      (error: unknown) => {
        for (const start of starts) {
          start.group.refuse(error, start);
          settle(start);
        }
      },
    );
  }
}

function settle({ group }: Held): void {
  if (--group.left === 0) group.settled();
}
