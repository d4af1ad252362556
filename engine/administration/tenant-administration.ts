import { defaultLimits, isLimitName, mergedLimits, type LimitName } from '../auth/tenant-limits.ts';
import { defaultTenant, TenantStore, type TenantInfo } from '../auth/tenants.ts';
import { HatchetError } from '../base/errors.ts';
import { text } from '../edge/parse/text.ts';
import { LocalAudit } from './local-audit.ts';
import { createLog } from '../base/log.ts';
import { parseUuid } from '../model/ids/uuid.ts';
import { createPool } from '../postgres/connect.ts';
import { parseTenantId } from '../model/ids/tenant-id.ts';

export type { TenantInfo } from '../auth/tenants.ts';

const longestName = 200;

export interface LimitInfo {
  name: LimitName;
  value: number;
  default: number;
  /** It was set for this tenant. */
  isSet: boolean;
}

export interface LimitChange {
  set: Readonly<Record<string, number>>;
  unset: readonly string[];
}

/** Tenants, straight from the database: no engine has to run. What changes something is noted in the audit log. */
export interface TenantAdministration {
  /** @throws HatchetError INVALID_ARGUMENT for a name that is no name, or is taken */
  create(name: string): Promise<TenantInfo>;
  list(): Promise<readonly TenantInfo[]>;
  /** By name or id. @throws HatchetError UNKNOWN_TENANT */
  find(tenant: string): Promise<TenantInfo>;
  /** Of one that may be deleted. @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT for `default` */
  findDeletable(tenant: string): Promise<TenantInfo>;
  /** Counted no further than `most`. */
  countRuns(tenantId: string, most: number): Promise<number>;
  /** @throws HatchetError UNKNOWN_TENANT */
  limits(tenant: string): Promise<readonly LimitInfo[]>;
  /** @throws HatchetError UNKNOWN_TENANT; INVALID_ARGUMENT for an unknown limit or a value that is no number >= 0 */
  changeLimits(tenant: string, change: LimitChange): Promise<readonly LimitInfo[]>;
  /** Its tokens are refused from here on, and an engine removes it. @returns false where that had begun already @throws HatchetError as `findDeletable` */
  delete(tenant: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** The schema has to be this version's. */
export function openTenantAdministration(databaseUrl: string): TenantAdministration {
  const pool = createPool(databaseUrl, {
    name: 'hatchet tenants',
    max: 2,
    statementMs: 30_000,
    log: createLog('error'),
  });
  const store = new TenantStore(pool);
  const audit = new LocalAudit(pool);
  const findDeletable = async (nameOrId: string): Promise<TenantInfo> => {
    const tenant = await store.find(nameOrId);
    if (tenant.name !== defaultTenant) return tenant;
    throw new HatchetError(
      'INVALID_ARGUMENT',
      'the tenant "default" cannot be deleted: each engine makes it again at its start, with a token for programs on its machine',
      { remedy: 'Revoke its tokens with `hatchet token revoke`, or use a database of its own.' },
    );
  };
  return {
    async create(name) {
      const tenant = await store.create(checkName(name));
      await audit.note({ tenantId: tenant.id, action: 'hatchet tenants create', ids: [tenant.id, tenant.name] });
      return tenant;
    },
    list: () => store.list(),
    find: (tenant) => store.find(tenant),
    findDeletable,
    async countRuns(given, most) {
      const tenantId = parseTenantId(given);
      return tenantId === undefined ? 0 : store.countRuns(tenantId, most);
    },
    limits: async (tenant) => limitsOf(await store.find(tenant)),
    async changeLimits(tenant, change) {
      checkChange(change);
      const { id } = await store.findActive(tenant);
      await store.changeLimits(id, change);
      await audit.note({
        tenantId: id,
        action: 'hatchet tenants limits',
        ids: [
          id,
          ...Object.entries(change.set).map(([name, value]) => `${name}=${value}`),
          ...change.unset.map((name) => `${name}=default`),
        ],
      });
      return limitsOf(await store.find(id));
    },
    async delete(nameOrId) {
      const { id, name } = await findDeletable(nameOrId);
      const isNew = await store.markDeleted(id);
      if (isNew) await audit.note({ tenantId: id, action: 'hatchet tenants delete', ids: [id, name] });
      return isNew;
    },
    stop: () => pool.end(),
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
function checkName(name: string): string {
  text(name, 'the name', { least: 1, most: longestName });
  if (name.trim() !== name || /\p{Cc}/u.test(name))
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `the name ${JSON.stringify(name)} begins or ends with a space, or holds a control character`,
      { remedy: 'Leave them out.' },
    );
  if (parseUuid(name) !== undefined)
    throw new HatchetError('INVALID_ARGUMENT', `the name ${name} looks like an id`, {
      remedy: 'Choose another: commands take a tenant by its name or its id.',
    });
  return name;
}

/** @throws HatchetError INVALID_ARGUMENT */
function checkChange({ set, unset }: LimitChange): void {
  for (const name of [...Object.keys(set), ...unset]) {
    if (!isLimitName(name))
      throw new HatchetError('INVALID_ARGUMENT', `there is no limit ${JSON.stringify(name)}`, {
        remedy: `Use ${Object.keys(defaultLimits).join(', ')}.`,
      });
  }
  for (const [name, value] of Object.entries(set)) {
    if (!Number.isFinite(value) || value < 0)
      throw new HatchetError('INVALID_ARGUMENT', `the limit ${name} is to be ${value}`, {
        remedy: 'Give a number from 0 on.',
      });
    if (unset.includes(name))
      throw new HatchetError('INVALID_ARGUMENT', `the limit ${name} is to be both set and unset`, {
        remedy: 'Give one of the two.',
      });
  }
}

function limitsOf(tenant: TenantInfo): LimitInfo[] {
  const merged = mergedLimits(tenant.limits);
  const names = Object.keys(defaultLimits).filter(isLimitName);
  return names.map((name) => ({
    name,
    value: merged[name],
    default: defaultLimits[name],
    isSet: Object.hasOwn(tenant.limits, name),
  }));
}
