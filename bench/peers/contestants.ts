/** Who can be measured, by the names that `--only` takes. Loaded one by one: no process has the packages of another contestant. */
import type { Contestant } from './contestant.ts';

const loaders: Readonly<Record<string, () => Promise<{ contestant: Contestant }>>> = {
  'hatchet-ts': () => import('./contestants/hatchet-ts.ts'),
  'graphile-worker': () => import('./contestants/graphile-worker.ts'),
  'pg-boss': () => import('./contestants/pg-boss.ts'),
  dbos: () => import('./contestants/dbos.ts'),
  openworkflow: () => import('./contestants/openworkflow.ts'),
  absurd: () => import('./contestants/absurd.ts'),
  bullmq: () => import('./contestants/bullmq.ts'),
};

/** Ours is the first: the others are told in relation to it. */
export const ours = 'hatchet-ts';
export const names: readonly string[] = Object.keys(loaders);

export async function loadContestant(name: string): Promise<Contestant> {
  const load = loaders[name];
  if (load === undefined) throw new Error(`no contestant is called ${name}; there are ${names.join(', ')}`);
  return (await load()).contestant;
}
