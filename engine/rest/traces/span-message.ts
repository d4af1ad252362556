import type { OtelSpan } from '../../../proto/gen/rest/answers.ts';
import { isObject } from '../../model/payload/is-object.ts';
import type { StoredSpan } from '../../monitor/span-reads.ts';
import { isoMs } from '../message-fields.ts';

/** As OpenTelemetry numbers them. */
const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const statuses = ['UNSET', 'OK', 'ERROR'] as const;

export function spanMessage(span: StoredSpan): OtelSpan {
  return {
    traceId: span.traceId.toString('hex'),
    spanId: span.spanId.toString('hex'),
    parentSpanId: span.parentSpanId?.toString('hex'),
    spanName: span.name,
    spanKind: kinds[span.kind] ?? 'UNSPECIFIED',
    serviceName: span.service,
    statusCode: statuses[span.status] ?? 'UNSET',
    statusMessage: span.statusMessage ?? undefined,
    durationNs: Number(span.durationNs),
    createdAt: isoMs(Number(BigInt(span.startNs) / 1_000_000n)),
    resourceAttributes: textAttributes(span.resource),
    spanAttributes: textAttributes(span.attributes),
    scopeName: span.scopeName,
    scopeVersion: span.scopeVersion,
    retryCount: span.attempt,
  };
}

/** The contract has texts alone: all other values are their JSON. */
function textAttributes(stored: string): Record<string, string> {
  const attributes: unknown = JSON.parse(stored);
  if (!isObject(attributes)) return {};
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
