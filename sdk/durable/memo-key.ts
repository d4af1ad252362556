import { createHash } from 'node:crypto';
import { HatchetError } from '../errors.ts';

/** The engine knows the memos of `patched` by it, so that one that an older log lacks takes no place there. */
const patchedPrefix = 'patched:';

/** Characters of a patch's id: the engine takes keys of up to 1,000 bytes. */
const longestPatchId = 200;

/** Bytes of dependencies that are sent as they are. Twice as many characters are stored, twice. */
const longestDeps = 100;

/**
 * The dependencies, so that people who read the log know the memo; for long ones the digest that the official SDK makes
 * of the task and its dependencies. To our engine both name the same memo: a log goes on under either SDK.
 * @throws HatchetError INVALID_ARGUMENT for what JSON cannot carry
 */
export function memoKey(taskRunExternalId: string, deps: readonly unknown[]): Buffer {
  let text: string;
  try {
    text = JSON.stringify(deps);
  } catch (error) {
    throw new HatchetError('INVALID_ARGUMENT', 'the dependencies of a memo cannot be written as JSON', {
      cause: error,
      remedy: 'Leave out cycles and BigInts',
    });
  }
  return Buffer.byteLength(text) <= longestDeps
    ? Buffer.from(text)
    : createHash('sha256')
        .update(taskRunExternalId + text)
        .digest();
}

/** @throws HatchetError INVALID_ARGUMENT */
export function patchKey(id: string): Buffer {
  if (id === '' || id.length > longestPatchId)
    throw new HatchetError('INVALID_ARGUMENT', `the id of a patch has ${id.length} characters`, {
      remedy: `Use 1 to ${longestPatchId}`,
    });
  return Buffer.from(`${patchedPrefix}${id}`);
}
