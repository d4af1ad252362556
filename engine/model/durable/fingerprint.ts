import { createHash } from 'node:crypto';
import type { DurableCondition } from './durable.ts';

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The conditions, whatever their order; never what changes from one start to the next (labels, or-group ids, look-back times). */
export function waitFingerprint(conditions: readonly DurableCondition[]): string {
  const groups = new Map<number, string[]>();
  for (const condition of conditions) {
    const own =
      condition.kind === 'sleep'
        ? ['sleep', condition.duration, condition.dataKey]
        : ['event', condition.eventKey, condition.scope, condition.expression, condition.dataKey];
    const group = groups.get(condition.group) ?? [];
    groups.set(condition.group, group);
    group.push(JSON.stringify(own));
  }
  return digest(JSON.stringify([...groups.values()].map((group) => JSON.stringify(group.sort(byText))).sort(byText)));
}

export function childFingerprint(workflow: string, input: string): string {
  return digest(JSON.stringify([workflow, input]));
}
