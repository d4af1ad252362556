import type { Metadata } from '@grpc/grpc-js';
import { HatchetError } from '../../base/errors.ts';
import { idTimeMs, isRecentUuid7, parseUuid } from '../../model/ids/uuid.ts';

/** Ids of callers may be this far from the engine's clock. */
export const idWindowMs = 3_600_000;

/** Our SDK's own run ids travel beside the contract's messages; a Hatchet cluster ignores them. */
export const runIdHeader = 'hatchet-run-id';

/** @throws HatchetError INVALID_ARGUMENT */
export function runIdsFrom(metadata: Metadata, count: number): readonly (string | undefined)[] {
  const [value] = metadata.get(runIdHeader);
  if (typeof value !== 'string' || value === '') return Array.from({ length: count }, () => undefined);
  const ids = value.split(',').map((id) => parseUuid(id.trim()));
  const valid =
    ids.length === count &&
    new Set(ids).size === count &&
    ids.every((id) => id !== undefined && isRecentUuid7(id, idTimeMs(), idWindowMs));
  if (!valid)
    throw new HatchetError('INVALID_ARGUMENT', `the metadata ${runIdHeader} does not hold one fresh UUIDv7 a run`, {
      remedy: 'Make the ids when the call is made, or leave them out.',
    });
  return ids;
}
