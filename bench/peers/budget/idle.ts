/** An engine with its own Postgres, for which there is nothing to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCpu } from '../../../cli/commands/bench/cpu-usage.ts';
import { deleteData } from '../../../engine/index.ts';
import { idleRate } from '../../idle-rate.ts';
import { spawnBenchEngine, untilReady } from '../../launch-engine.ts';
import { endChild } from '../end-child.ts';
import { residentMegabytes } from '../process-figures.ts';
import type { PartContext } from './part.ts';

/** What a start leaves to be done is over then. */
const settleMs = 5_000;

export async function idle(context: PartContext): Promise<void> {
  const { samples, idleSeconds, node } = context;
  const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-idle-'));
  const own = context.cleanup.nested();
  try {
    await own.add(() => rmSync(dataDir, { recursive: true, force: true }));
    // As root the files of its Postgres lie elsewhere.
    await own.add(() => deleteData(dataDir));
    const child = spawnBenchEngine(dataDir, { node });
    await own.add(() => endChild(child));
    const engine = await untilReady(child);
    await delay(settleMs);
    const sources = { enginePid: child.pid, dataDir, workerPids: [] };
    const before = readCpu(sources);
    await delay(idleSeconds * 1_000);
    const after = readCpu(sources);
    const percent = (from: number | undefined, to: number | undefined): number | undefined =>
      from === undefined || to === undefined ? undefined : (to - from) / (idleSeconds * 10_000);
    samples.set('idle cpu', percent(before.engine, after.engine));
    samples.set('idle postgres cpu', percent(before.postgres, after.postgres));
    if (child.pid !== undefined) samples.set('idle memory', residentMegabytes(child.pid));
    samples.set('idle statements', await idleRate(engine.databaseUrl, dataDir, idleSeconds));
  } finally {
    await own.run();
  }
}
