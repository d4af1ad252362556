import { MinEngineVersion, supportsEviction } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { expect, it } from 'vitest';
import { wireVersion } from '../../../engine/grpc/wire-version.ts';

/** Of Hatchet's Python SDK 1.43.1, which asks for the most, and of its Go SDK. */
const askedByOthers = ['v0.78.23', 'v0.80.0', 'v0.82.0', 'v0.88.1', 'v0.111.0'];

function numbers(version: string): number[] {
  const match = /^v(\d+)\.(\d+)\.(\d+)$/.exec(version);
  if (match === null) throw new Error(`${version} is no version as SDKs read it`);
  return match.slice(1).map(Number);
}

function isAtLeast(version: string, least: string): boolean {
  const [own, other] = [numbers(version), numbers(least)];
  const at = own.findIndex((part, place) => part !== other[place]);
  return at === -1 || (own[at] ?? 0) > (other[at] ?? 0);
}

it('has every feature of the published SDKs switched on, and promises none beyond', () => {
  expect(supportsEviction(wireVersion)).toBe(true);
  const asked = [...Object.values(MinEngineVersion), ...askedByOthers];
  expect(asked.filter((least) => !isAtLeast(wireVersion, least))).toEqual([]);
  expect(asked).toContain(wireVersion);
});
