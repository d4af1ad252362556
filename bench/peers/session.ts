/** What every benchmark of this folder begins and ends with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from './cleanup.ts';
import { here } from './helpers.ts';

/** What has to be undone at the end, and whether a person ended it. */
export interface Session {
  cleanup: Cleanup;
  isInterrupted(): boolean;
  /** Once all is undone. Packages of contestants may have left timers behind. */
  exit(failed: boolean): Promise<never>;
}

/** Ends the process where something that it needs is not there. */
export function beginSession(): Session {
  const installed = existsSync(join(here, 'node_modules', '.package-lock.json'));
  const built = existsSync(join(here, '../../dist/engine/main.js'));
  if (!installed) console.error('The other queues are not installed. First: npm ci --prefix bench/peers');
  if (!built) console.error('The engine is not built. First: npm run build');
  if (!installed || !built) process.exit(1);
  const cleanup = new Cleanup();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      interrupted = true;
      void cleanup.run();
    });
  return {
    cleanup,
    isInterrupted: () => interrupted,
    async exit(failed) {
      await cleanup.run();
      process.exit(interrupted ? 130 : failed ? 1 : 0);
    },
  };
}

/** The first of a round goes last in the next: what the machine does meanwhile falls on all of them. */
export function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = round % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
}
