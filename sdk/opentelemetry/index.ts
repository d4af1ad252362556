/**
 * Traces by OpenTelemetry: `import { openTelemetry } from 'hatchet-ts/opentelemetry'`. Needs the package `@opentelemetry/api`, which
 * programs with OpenTelemetry have.
 */
export { attemptAttributes, openTelemetry } from './open-telemetry.ts';
export type { AttemptSpanProcessor, OpenTelemetryOptions } from './open-telemetry.ts';
export type { CarriedContext, SpanFacts, SpanStart, Tracing } from '../tracing.ts';
