/** The engine's only public entry. */
export { startEngine } from './engine.ts';
export type { Address, EngineOptions, RunningEngine, StageEvent, StageName } from './config.ts';
export { HatchetError, type ErrorCode } from './errors.ts';
