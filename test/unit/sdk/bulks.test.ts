import { expect, it } from 'vitest';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { bulks } from '../../../sdk/run/bulks.ts';

function requests(count: number, input = '{}'): { request: TriggerWorkflowRequest }[] {
  return Array.from({ length: count }, () => ({ request: { name: 'w', input, desiredWorkerLabels: {} } }));
}

function sizes(known: boolean | undefined, items: { request: TriggerWorkflowRequest }[]): number[] {
  return [...bulks({ link: { isOffered: known } }, items)].map((group) => group.length);
}

it('a call takes 200 runs and 3.5 MiB, the link 2,000 and 8 Mi characters', () => {
  expect(sizes(false, requests(450))).toEqual([200, 200, 50]);
  expect(sizes(true, requests(4_500))).toEqual([2_000, 2_000, 500]);
  const megabyte = `"${'x'.repeat(1024 * 1024 - 2)}"`;
  expect(sizes(false, requests(7, megabyte))).toEqual([3, 3, 1]);
  expect(sizes(true, requests(17, megabyte))).toEqual([8, 8, 1]);
  expect(sizes(false, requests(2, `"${'x'.repeat(4 * 1024 * 1024)}"`))).toEqual([1, 1]);
  expect(sizes(true, [])).toEqual([]);
});

it('the first group goes as a call could, until it is known which way they go', () => {
  const link: { isOffered: boolean | undefined } = { isOffered: undefined };
  const groups = bulks({ link }, requests(3_000));
  expect(groups.next().value).toHaveLength(200);
  link.isOffered = true;
  expect([...groups].map((group) => group.length)).toEqual([2_000, 800]);
});
