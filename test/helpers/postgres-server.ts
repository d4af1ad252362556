import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { createLog } from '../../engine/base/log.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../engine/postgres/embedded/embedded-postgres.ts';
import { migrateUp } from '../../engine/postgres/schema/migrate.ts';
import { preparePartitions } from '../../engine/postgres/schema/prepare-partitions.ts';
import { withDatabase } from './database-url.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's Postgres; its databases `tpl_migrated` and `tpl_prepared` are templates and take no connections of tests. */
    postgresUrl: string;
  }
}

let server: EmbeddedPostgres | undefined;
let folder: string | undefined;

async function makeTemplates(url: string): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query('CREATE DATABASE tpl_migrated');
    await migrateUp(withDatabase(url, 'tpl_migrated'));
    await admin.query('CREATE DATABASE tpl_prepared TEMPLATE tpl_migrated');
    const client = new Client({ connectionString: withDatabase(url, 'tpl_prepared') });
    await client.connect();
    try {
      await preparePartitions(client, Date.now());
    } finally {
      await client.end();
    }
  } finally {
    await admin.end();
  }
}

/** No power cut ends a test, and a killed server's writes are with the system already: a third of the time was waiting for the disk. */
/** One embedded Postgres for the whole run of a vitest project, with migrated templates to clone. */
export async function setup(project: TestProject): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'hatchet-test-'));
  server = await startEmbeddedPostgres({
    dataDir: folder,
    log: createLog('error'),
    settings: { fsync: 'off', full_page_writes: 'off' },
  });
  await makeTemplates(server.url);
  project.provide('postgresUrl', server.url);
}

export async function teardown(): Promise<void> {
  await server?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
