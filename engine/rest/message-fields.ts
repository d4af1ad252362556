import { createHash } from 'node:crypto';
import type { LeftOut, Pagination, Priority, ResourceMeta, TaskStatus } from '../../proto/gen/rest/answers.ts';
import { RunStatus, runStatusNames } from '../model/task/status.ts';
import { uuidTimeMs } from '../model/ids/uuid.ts';
import { RawJson } from './json-pieces.ts';

export function isoMs(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoUs(us: number | null): string | undefined {
  return us === null ? undefined : isoMs(us / 1000);
}

/** Our ids carry the time at which they were made. */
export function madeAt(id: string): string {
  return isoMs(uuidTimeMs(id));
}

export function resourceMeta(id: string, updatedMs?: number): ResourceMeta {
  return { id, createdAt: madeAt(id), updatedAt: updatedMs === undefined ? madeAt(id) : isoMs(updatedMs) };
}

/** A step has no id of its own here: it follows from its version and its place. */
export function stepId(versionId: string, step: number): string {
  const hash = createHash('sha256').update(`${versionId} ${step}`).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(12, 15)}-8${hash.slice(15, 18)}-${hash.slice(18, 30)}`;
}

/** The ids of a version's steps, by their places. */
export function stepIds(versionId: string): (step: number) => string {
  const made = new Map<number, string>();
  return (step) => {
    const id = made.get(step) ?? stepId(versionId, step);
    made.set(step, id);
    return id;
  };
}

const priorities = [1, 2, 3] as const;

export function shownPriority(stored: number | null | undefined): Priority | undefined {
  return priorities.find((each) => each === stored);
}

/** The contract numbers tasks beside their UUIDs: 48 bits of it, as many as a JSON number holds exactly. */
export function taskNumber(taskId: string): number {
  return Number.parseInt(taskId.slice(-12), 16);
}

/** Of a page by offset: how many there are is not counted. */
export function pagination(page: { offset: number; limit: number; more: boolean }): Pagination {
  const current = Math.floor(page.offset / page.limit) + 1;
  const last = page.more ? current + 1 : current;
  return { current_page: current, next_page: last, num_pages: last };
}

/** Stored JSON text, as it is. None, and JSON's null, are an empty object. */
export function storedJson(text: string | null): RawJson | Record<string, never> {
  return text === null || /^\s*null\s*$/.test(text) ? {} : new RawJson(text);
}

/** By field, the bytes of what was too much for the answer; undefined where all is there. */
export function leftOutFields(sizes: Record<string, number>): LeftOut | undefined {
  const fields = Object.entries(sizes).filter(([, bytes]) => bytes > 0);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** The contract has no status of its own for an evicted task: it runs. */
export function statusName(status: RunStatus): TaskStatus {
  return runStatusNames[status === RunStatus.Evicted ? RunStatus.Running : status];
}
