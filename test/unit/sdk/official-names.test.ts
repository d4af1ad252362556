import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldOf } from '../../../sdk/failure/safe-reads.ts';
import * as ours from '../../../sdk/index.ts';

const official: object = createRequire(import.meta.url)('@hatchet-dev/typescript-sdk/v1');
const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/official-sdk.md'), 'utf8');

/** Names in the first column of the table under a heading. */
function documented(heading: string): string[] {
  const section = guide.split('\n## ').find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')).toSorted();
}

/** What instances have by their class and those that it extends. Names with an underscore are private there. */
function members(module: object, name: string): Set<string> {
  const names = new Set<string>();
  for (
    let prototype: unknown = fieldOf(fieldOf(module, name), 'prototype');
    typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const key of Object.getOwnPropertyNames(prototype))
      if (!key.startsWith('_') && key !== 'constructor') names.add(key);
  }
  return names;
}

/** Fields, which no prototype has. */
const fields: Record<string, string[]> = {
  HatchetClient: [
    'runs',
    'events',
    'ratelimits',
    'crons',
    'scheduled',
    'filters',
    'webhooks',
    'workflows',
    'workers',
    'audit',
    'logger',
  ],
  Context: ['abortController', 'worker'],
  DurableContext: ['abortController', 'worker', 'invocationCount'],
};

describe('the names of the official SDK', () => {
  it('are exported here, or are in the guide', () => {
    const missing = Object.keys(official).filter((name) => name !== '__esModule' && !Object.hasOwn(ours, name));
    expect(missing.toSorted()).toEqual(documented('Exports'));
  });

  it.each<[official: string, ours: string]>([
    ['HatchetClient', 'HatchetClient'],
    ['Worker', 'Worker'],
    ['Context', 'Context'],
    ['DurableContext', 'DurableContext'],
    ['WorkflowDeclaration', 'WorkflowDeclaration'],
    ['TaskWorkflowDeclaration', 'TaskWorkflowDeclaration'],
    ['RunsClient', 'RunsClient'],
    ['CronClient', 'CronsClient'],
    ['ScheduleClient', 'ScheduledClient'],
    ['FiltersClient', 'FiltersClient'],
    ['RatelimitsClient', 'RateLimitsClient'],
    ['WorkersClient', 'WorkersClient'],
    ['WorkflowsClient', 'WorkflowsClient'],
    ['WebhooksClient', 'WebhooksClient'],
  ])('are those of %s, or are in the guide', (theirs, own) => {
    const known = new Set([...members(ours, own), ...(fields[own] ?? [])]);
    const there = members(official, theirs);
    expect(there.size).toBeGreaterThan(0);
    expect([...there].filter((name) => !known.has(name)).toSorted()).toEqual(documented(theirs));
  });
});
