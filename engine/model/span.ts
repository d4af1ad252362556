import type { TenantId } from './ids/tenant-id.ts';

/** A span of OpenTelemetry, as a program sent it. */
export interface NewSpan {
  tenantId: TenantId;
  /** 16 bytes. */
  traceId: Buffer;
  /** 8 bytes. */
  spanId: Buffer;
  /** 8 bytes; null for the first of a trace. */
  parentSpanId: Buffer | null;
  /** What it says of itself: whether the tenant has such a run or task is not looked at, and nobody else ever sees it. */
  runId: string | null;
  taskId: string | null;
  attempt: number;
  name: string;
  /** As OTLP numbers them: 1 INTERNAL … 5 CONSUMER. */
  kind: number;
  /** As OTLP numbers them: 0 UNSET, 1 OK, 2 ERROR. */
  status: number;
  statusMessage: string | null;
  /** Nanoseconds since 1970. */
  startNs: bigint;
  durationNs: bigint;
  service: string;
  scopeName: string;
  scopeVersion: string;
  /** JSON objects. */
  attributes: string;
  resource: string;
  /** JSON arrays. */
  events: string;
  links: string;
}

/** Characters of a span that its sender chose the number of. */
export function spanChars(span: NewSpan): number {
  return (
    span.name.length +
    (span.statusMessage?.length ?? 0) +
    span.service.length +
    span.scopeName.length +
    span.scopeVersion.length +
    span.attributes.length +
    span.resource.length +
    span.events.length +
    span.links.length
  );
}
