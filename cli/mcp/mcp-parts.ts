import type { RunAdmin } from '../admin/run-admin.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import type { RunReader } from '../monitor/run-reader.ts';

/** What tools work with. */
export interface McpParts {
  readonly connection: Connection;
  readonly reader: RunReader;
  /** Undefined where tools may only read. */
  readonly admin: RunAdmin | undefined;
  readonly interrupted: AbortSignal;
}
