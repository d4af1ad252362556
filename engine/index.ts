/** The engine's only public entry. */
export { startEngine } from './engine.ts';
export type { Clock } from './base/clock.ts';
export type {
  Address,
  EngineOptions,
  EngineTime,
  RunningEngine,
  StageEvent,
  StageName,
} from './base/engine-options.ts';
export type { LogLevel } from './base/log.ts';
export { HatchetError, type ErrorCode } from './base/errors.ts';
/** For `hatchet migrate`, `hatchet token` and `hatchet keys`, which work without a running engine. */
export {
  migrateDown,
  migrateUp,
  migrationStatus,
  openAdministeredDatabase,
  openTokenAdministration,
  resetSecrets,
  verifyMigrations,
  verifyServable,
  type MigrateOptions,
  type MigrationState,
  type MigrationStep,
  type KeySource,
  type SigningKeyInfo,
  type TokenAdministration,
  type TokenInfo,
} from './administration/token-administration.ts';
/** For `hatchet doctor`. */
export { clockAheadMs } from './postgres/postgres-clock.ts';
/** For `hatchet dev --reset`. */
export { dataPaths, deleteData } from './local/data-folder.ts';
export type { Role } from './auth/role.ts';
/** For `hatchet tenants`. */
export {
  openTenantAdministration,
  type LimitInfo,
  type TenantAdministration,
  type TenantInfo,
} from './administration/tenant-administration.ts';
/** For `hatchet doctor`. */
export { readShardReport, type ShardReport } from './administration/shard-report.ts';
/** For `hatchet-ts/testing`. */
export { startScratchPostgres, type ScratchDatabase, type ScratchPostgres } from './local/scratch-postgres.ts';
export { packageRoot } from './base/package-version.ts';
