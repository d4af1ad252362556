import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const memory = '/dev/shm';
const tmpfs = 0x01021994;
/** A scratch Postgres takes up to 200 MB, 11 more for each engine, and what tests store. A container has 64 MB there by default. */
const roomBytes = 1024 ** 3;

/**
 * Where a scratch Postgres lies: in memory where Linux has room there, else in the temporary folder; TMPDIR decides before.
 * A clone is 600 new files. In memory that is 15 ms; on ext4 30, and up to 450 where as many were deleted in the last half
 * minute, since it steps over their inodes: so it is in any run of tests that starts engine after engine.
 */
export function scratchHome(): string {
  if (process.platform !== 'linux' || process.env['TMPDIR'] !== undefined) return tmpdir();
  try {
    accessSync(memory, constants.W_OK);
    const { type, bavail, bsize } = statfsSync(memory);
    return type === tmpfs && bavail * bsize >= roomBytes ? memory : tmpdir();
  } catch {
    return tmpdir(); // a system without it
  }
}
