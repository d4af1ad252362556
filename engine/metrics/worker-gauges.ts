import type { TenantId } from '../model/ids/tenant-id.ts';
import type { PlannerWorker } from '../plan/queue/planner-worker.ts';
import { compareText, listed, wants, type Reading } from './listed.ts';

/** Pairs of a label and a value with series of their own, of a tenant. */
const mostLabels = 200;

const workerStates = ['connected', 'silent', 'blocked', 'paused'] as const;

function stateOf(worker: PlannerWorker): (typeof workerStates)[number] {
  if (!worker.assignable) return 'silent';
  if (worker.isBlocked) return 'blocked';
  return worker.paused ? 'paused' : 'connected';
}

interface Slots {
  total: number;
  used: number;
}

/** Slots by type, as they are added up over workers. */
class SlotSums {
  readonly byType = new Map<string, Slots>();

  add(worker: PlannerWorker): void {
    for (const [type, units] of worker.slots) {
      const sum = this.byType.get(type) ?? { total: 0, used: 0 };
      this.byType.set(type, sum);
      sum.total += units;
      sum.used += worker.used.get(type) ?? 0;
    }
  }
}

interface Label {
  readonly key: string;
  readonly value: string;
  readonly slots: SlotSums;
}

interface TenantWorkers {
  readonly states: Record<(typeof workerStates)[number], number>;
  readonly slots: SlotSums;
  readonly labels: Map<string, Label>;
  readonly labelsLeftOut: Set<string>;
}

/** Workers that have not unsubscribed; slots are those of workers that are connected, blocked and paused ones too. */
export function writeWorkers(reading: Reading): void {
  const { state, sheet } = reading;
  const byTenant = new Map<TenantId, TenantWorkers>();
  const connected: PlannerWorker[] = [];
  for (const worker of state.workersById.values()) {
    if (worker.ended || !wants(reading, worker.tenantId)) continue;
    const own = ofTenant(byTenant, worker.tenantId);
    own.states[stateOf(worker)]++;
    if (!worker.assignable) continue;
    connected.push(worker);
    own.slots.add(worker);
    addLabels(own, worker);
  }
  for (const [tenant_id, { states, slots, labels, labelsLeftOut }] of byTenant) {
    for (const name of workerStates) sheet.set('hatchet_tenant_workers', { tenant_id, state: name }, states[name]);
    for (const [slot_type, { total, used }] of slots.byType) {
      sheet.set('hatchet_tenant_slots', { tenant_id, slot_type }, total);
      sheet.set('hatchet_tenant_used_slots', { tenant_id, slot_type }, used);
    }
    for (const label of labels.values()) {
      for (const [slot_type, { total, used }] of label.slots.byType) {
        const series = { tenant_id, label_key: label.key, label_value: label.value, slot_type };
        sheet.set('hatchet_tenant_worker_label_slots', series, total);
        sheet.set('hatchet_tenant_used_worker_label_slots', series, used);
        sheet.set('hatchet_tenant_available_worker_label_slots', series, Math.max(0, total - used));
      }
    }
    sheet.set('hatchet_tenant_series_left_out', { tenant_id, of: 'labels' }, labelsLeftOut.size);
  }
  // The newest, whose ids are the last: they are asked for when something is wrong with a roll-out.
  const compare = (a: PlannerWorker, b: PlannerWorker): number => compareText(b.id, a.id);
  for (const worker of listed(reading, connected, { of: 'workers', compare })) {
    const labels = { tenant_id: worker.tenantId, worker_id: worker.id, worker_name: worker.name };
    const total = sum(worker.slots.values());
    const used = sum(worker.used.values());
    sheet.set('hatchet_tenant_worker_slots', labels, total);
    sheet.set('hatchet_tenant_used_worker_slots', labels, used);
    sheet.set('hatchet_tenant_available_worker_slots', labels, Math.max(0, total - used));
  }
}

function ofTenant(byTenant: Map<TenantId, TenantWorkers>, tenantId: TenantId): TenantWorkers {
  const known = byTenant.get(tenantId);
  if (known !== undefined) return known;
  const made: TenantWorkers = {
    states: { connected: 0, silent: 0, blocked: 0, paused: 0 },
    slots: new SlotSums(),
    labels: new Map(),
    labelsLeftOut: new Set(),
  };
  byTenant.set(tenantId, made);
  return made;
}

function addLabels({ labels, labelsLeftOut }: TenantWorkers, worker: PlannerWorker): void {
  for (const [key, value] of worker.labels) {
    const pair = `${key}\0${value}`;
    let label = labels.get(pair);
    if (label === undefined) {
      if (labels.size >= mostLabels) {
        labelsLeftOut.add(pair);
        continue;
      }
      label = { key, value: String(value), slots: new SlotSums() };
      labels.set(pair, label);
    }
    label.slots.add(worker);
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
