import { expect, vi } from 'vitest';
import type { Hatchet } from '../../sdk/index.ts';
import { patient } from './patient.ts';

async function read(hatchet: Hatchet, path: string): Promise<unknown> {
  const { apiUrl, token } = hatchet.config;
  const response = await fetch(`${apiUrl}/api/v1/stable/${path}`, { headers: { authorization: `Bearer ${token}` } });
  return JSON.parse(await response.text());
}

/** Resolves once the task's log has its n-th node, unsatisfied. */
export async function waitsAt(hatchet: Hatchet, taskId: string, node: number): Promise<void> {
  const waits = expect.arrayContaining([expect.objectContaining({ nodeId: node, isSatisfied: false })]);
  await vi.waitFor(
    async () => expect(await read(hatchet, `tenants/${hatchet.tenantId}/durable-tasks/${taskId}`)).toEqual(waits),
    patient,
  );
}

export async function isEvicted(hatchet: Hatchet, taskId: string): Promise<void> {
  await vi.waitFor(
    async () => expect(await read(hatchet, `tasks/${taskId}`)).toMatchObject({ isEvicted: true }),
    patient,
  );
}
