import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';

/** A call that changed something, or tried to. */
export interface AuditLine {
  id: string;
  at: string;
  /** Absent for what came without a token: a webhook's request, or a command straight on the database. */
  tokenId?: string;
  tokenName?: string;
  /** The gRPC method, the REST route, or the command. */
  action: string;
  /** What was made or changed, the first hundred. */
  ids: string[];
  /** Of the caller; `local` for a command straight on the database. */
  address: string;
  /** `OK`, or the code of the error. */
  outcome: string;
}

export interface ListAudit {
  since?: Date | undefined;
  /** Id of the token that was used. */
  token?: string | undefined;
  /** A part of the action. */
  action?: string | undefined;
  /** Of what was made or changed. */
  id?: string | undefined;
  /** Rows, default 50, at most 1,000. */
  limit?: number | undefined;
  /** The `next` of the page before. */
  before?: string | undefined;
}

/** Reads who changed what. Needs a token with the role admin. */
export class AuditClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Newest first. @throws HatchetError */
  async list(query: ListAudit = {}): Promise<{ rows: AuditLine[]; next?: string }> {
    const { config } = this.#connection;
    return callRest(config, 'GET', `/api/v1/tenants/${config.tenantId}/audit`, {
      query: { ...query, since: query.since?.toISOString() },
    });
  }
}
