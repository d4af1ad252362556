import type { AuditLine } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { offersMonitor } from '../../connection/monitor-offer.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { NotOffered } from '../../monitor/not-offered.ts';
import type { Table } from '../../output/table.ts';

export interface ListAuditFlags extends ConnectionFlags, OutputFlag {
  since?: Date;
  tokenId?: string;
  action?: string;
  id?: string;
  limit: number;
  page?: string;
}

interface AuditRow {
  lineId: string;
  at: string;
  tokenId: string | null;
  tokenName: string | null;
  action: string;
  ids: readonly string[];
  address: string;
  outcome: string;
}

const table: Table<AuditRow> = {
  columns: [
    { title: 'TIME', cell: (row) => row.at },
    { title: 'TOKEN', cell: (row) => row.tokenName ?? row.tokenId ?? '', max: 36 },
    { title: 'ACTION', cell: (row) => row.action },
    { title: 'IDS', cell: (row) => idsText(row.ids), max: 80 },
    { title: 'ADDRESS', cell: (row) => row.address, max: 40 },
    { title: 'OUTCOME', cell: (row) => row.outcome },
  ],
  empty: 'Nothing was changed.',
};

/** The other ids are in `-o json`. */
function idsText([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} +${others.length}`;
}

function rowOf({ id, at, tokenId, tokenName, action, ids, address, outcome }: AuditLine): AuditRow {
  return { lineId: id, at, tokenId: tokenId ?? null, tokenName: tokenName ?? null, action, ids, address, outcome };
}

/** @throws HatchetError */
export async function listAudit(context: CliContext, flags: ListAuditFlags): Promise<ExitCode> {
  const { since, tokenId, action, id, limit, page } = flags;
  const { rows, next } = await withSdk(context, flags, (hatchet) =>
    hatchet.audit.list({ since, token: tokenId, action, id, limit, before: page }),
  ).catch(async (error: unknown) => {
    throw (await offersMonitor(resolveConnection(context, flags))) ? error : new NotOffered('audit', error);
  });
  outputOf(context, flags).list({ rows: rows.map(rowOf), next: next ?? null }, table);
  return ExitCode.done;
}
