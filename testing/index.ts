/** `hatchet-ts/testing`: a real engine for tests, with a clock that can be moved. */
export { createTestEngine, TestEngine, type TestEngineOptions, type WaitOptions } from './test-engine.ts';
export { holdTestPostgres, type HeldPostgres } from './hold-test-postgres.ts';
export type { ByName, TestRun } from './run-results.ts';
export type { Duration as TestDuration } from '../sdk/duration.ts';
export { TestingError, type TestingErrorCode } from './testing-error.ts';
export { VirtualClock, type AdvanceOptions } from './virtual-clock.ts';
