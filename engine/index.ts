/** The engine's only public entry. */
export { startEngine } from './engine.ts';
export type { Clock } from './clock.ts';
export type { Address, EngineOptions, EngineTime, RunningEngine, StageEvent, StageName } from './config.ts';
export { HatchetError, type ErrorCode } from './errors.ts';
/** For `hatchet migrate` and `hatchet token`, which work without a running engine. */
export {
  migrateDown,
  migrateUp,
  migrationStatus,
  openAdministeredDatabase,
  openTokenAdministration,
  verifyMigrations,
  type MigrateOptions,
  type MigrationState,
  type MigrationStep,
  type TokenAdministration,
  type TokenInfo,
} from './administration.ts';
export type { Role } from './auth/role.ts';
/** For `hatchet tenants`. */
export { openTenantAdministration, type LimitInfo, type TenantAdministration, type TenantInfo } from './tenant-administration.ts';
/** For `hatchet-ts/testing`. */
export { startScratchPostgres, type ScratchDatabase, type ScratchPostgres } from './scratch-postgres.ts';
export { packageRoot } from './version.ts';
