import type { LimitInfo, TenantAdministration, TenantInfo } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { DatabaseFlags } from '../../database/find-database.ts';
import { withPreparedDatabase } from '../../database/prepared-database.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { Table } from '../../output/table.ts';

export interface TenantFlags extends DatabaseFlags, OutputFlag {}

export interface LimitsFlags extends TenantFlags {
  set?: Record<string, number>;
  unset?: string[];
}

export interface DeleteTenantFlags extends TenantFlags {
  yes?: true;
}

interface TenantRow {
  tenantId: string;
  name: string;
  createdAt: Date;
  tokens: number;
  state: 'active' | 'being deleted';
}

const tenantTable: Table<TenantRow> = {
  columns: [
    { title: 'TENANT', cell: (row) => row.tenantId },
    { title: 'NAME', cell: (row) => row.name, max: 40 },
    { title: 'CREATED', cell: (row) => row.createdAt.toISOString() },
    { title: 'TOKENS', cell: (row) => String(row.tokens), align: 'right' },
    { title: 'STATE', cell: (row) => row.state },
  ],
  empty: 'No tenants. The first engine makes the tenant "default".',
};

const limitTable: Table<LimitInfo> = {
  columns: [
    { title: 'LIMIT', cell: (limit) => limit.name },
    { title: 'VALUE', cell: (limit) => String(limit.value), align: 'right' },
    { title: 'DEFAULT', cell: (limit) => String(limit.default), align: 'right' },
    { title: 'SET', cell: (limit) => (limit.isSet ? 'yes' : '') },
  ],
  empty: 'No limits.',
};

function rowOf({ id, name, createdAt, deletedAt, tokens }: TenantInfo): TenantRow {
  return { tenantId: id, name, createdAt, tokens, state: deletedAt === null ? 'active' : 'being deleted' };
}

export function withTenants(
  context: CliContext,
  flags: TenantFlags,
  work: (tenants: TenantAdministration) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withPreparedDatabase(context, flags, async ({ url }) => {
    const { openTenantAdministration } = await import('../../../engine/index.ts');
    const tenants = openTenantAdministration(url);
    try {
      return await work(tenants);
    } finally {
      await tenants.stop();
    }
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
export function createTenant(context: CliContext, name: string, flags: TenantFlags): Promise<ExitCode> {
  return withTenants(context, flags, async (tenants) => {
    const tenant = await tenants.create(name);
    outputOf(context, flags).value(rowOf(tenant), () => tenant.id);
    return ExitCode.done;
  });
}

export function listTenants(context: CliContext, flags: TenantFlags): Promise<ExitCode> {
  return withTenants(context, flags, async (tenants) => {
    outputOf(context, flags).list({ rows: (await tenants.list()).map(rowOf), next: null }, tenantTable);
    return ExitCode.done;
  });
}

/** @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT */
export function tenantLimits(context: CliContext, tenant: string, flags: LimitsFlags): Promise<ExitCode> {
  const { set = {}, unset = [] } = flags;
  const isChange = Object.keys(set).length + unset.length > 0;
  return withTenants(context, flags, async (tenants) => {
    const rows = isChange ? await tenants.changeLimits(tenant, { set, unset }) : await tenants.limits(tenant);
    outputOf(context, flags).list({ rows, next: null }, limitTable);
    return ExitCode.done;
  });
}
