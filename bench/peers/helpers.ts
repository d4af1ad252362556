/** What several contestants need. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { Progress } from './contestant.ts';

export const here = dirname(fileURLToPath(import.meta.url));

/** Of a package that is installed in this folder. */
export function installedVersion(name: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'),
  );
  return `${name} ${version}`;
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

/** For a queue without a call that takes many. */
export async function addTogether<T>(items: readonly T[], together: number, add: (item: T) => Promise<unknown>) {
  let next = 0;
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await add(item);
    }),
  );
}

/** @param count a statement whose only value, `left`, is the number of jobs that are not completed */
export async function countInPostgres(url: string, count: string): Promise<Progress> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the statement under way fails with it
  await client.connect();
  return {
    left: async () => Number((await client.query<{ left: string }>(count)).rows[0]?.left),
    close: () => client.end(),
  };
}
