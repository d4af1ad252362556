import { largestInteger } from '../../edge/parse/number.ts';
import { shownText } from '../../edge/parse/text.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { spanChars, type NewSpan } from '../../model/span.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { ResourceSpans, Span } from '../../../proto/gen/opentelemetry/proto/trace/v1/trace.ts';
import { attributeObject, TooDeep } from './attribute-json.ts';

/** Spans a call. Exporters send 512 at a time, unless they are told otherwise. */
export const mostSpans = 2_000;
/** Characters of one, all its attributes together. */
export const mostSpanChars = 64 * 1024;
const longestName = 1_000;
/** CONSUMER and ERROR. */
const [lastKind, lastStatus] = [5, 2];
/** Postgres's `bigint`: nanoseconds up to the year 2262. */
const latestNs = 2n ** 63n - 1n;

/** What a call holds of spans: those that can be stored, and why others cannot. */
export interface SpansRead {
  spans: NewSpan[];
  rejected: number;
  /** Of the last that was rejected; empty where none was. */
  reason: string;
}

interface Around {
  tenantId: TenantId;
  service: string;
  resource: string;
  scopeName: string;
  scopeVersion: string;
}

/** A span that cannot be stored is no reason to refuse the others: exporters do not send them again one by one. */
export function readSpans(tenantId: TenantId, resourceSpans: readonly ResourceSpans[]): SpansRead {
  const read: SpansRead = { spans: [], rejected: 0, reason: '' };
  let seen = 0;
  for (const { resource, scopeSpans } of resourceSpans) {
    const ofProgram = attributesOrNone(resource?.attributes ?? []);
    for (const { scope, spans } of scopeSpans) {
      const around = {
        tenantId,
        service: serviceOf(ofProgram),
        resource: JSON.stringify(ofProgram),
        scopeName: shownText(scope?.name ?? '', longestName),
        scopeVersion: shownText(scope?.version ?? '', longestName),
      };
      for (const span of spans) {
        const found = ++seen > mostSpans ? `a call takes up to ${mostSpans} spans` : readSpan(span, around);
        if (typeof found === 'string') Object.assign(read, { rejected: read.rejected + 1, reason: found });
        else read.spans.push(found);
      }
    }
  }
  return read;
}

function serviceOf(resource: Record<string, unknown>): string {
  const name = resource['service.name'];
  return typeof name === 'string' ? shownText(name, longestName) : '';
}

/** What a program says of itself is no reason to lose its spans. */
function attributesOrNone(attributes: Parameters<typeof attributeObject>[0]): Record<string, unknown> {
  try {
    return attributeObject(attributes);
  } catch (error) {
    if (error instanceof TooDeep) return {};
    throw error;
  }
}

/** @returns or why it cannot be stored */
function readSpan(span: Span, around: Around): NewSpan | string {
  const { traceId, spanId, parentSpanId } = span;
  if (traceId.length !== 16 || spanId.length !== 8) return 'a trace id has 16 bytes, and the id of a span has 8';
  if (parentSpanId.length !== 0 && parentSpanId.length !== 8) return 'the id of a parent span has 8 bytes';
  let texts: Pick<NewSpan, 'attributes' | 'events' | 'links'>;
  let attributes: Record<string, unknown>;
  try {
    attributes = attributeObject(span.attributes);
    texts = {
      attributes: JSON.stringify(attributes),
      events: JSON.stringify(
        span.events.map(({ name, timeUnixNano, attributes: own }) => ({
          name,
          timeUnixNano: String(timeUnixNano),
          attributes: attributeObject(own),
        })),
      ),
      links: JSON.stringify(
        span.links.map((link) => ({
          traceId: link.traceId.toString('hex'),
          spanId: link.spanId.toString('hex'),
          traceState: link.traceState,
          attributes: attributeObject(link.attributes),
        })),
      ),
    };
  } catch (error) {
    if (error instanceof TooDeep) return 'an attribute nests too deep';
    throw error;
  }
  const startNs = storedNs(span.startTimeUnixNano);
  const read: NewSpan = {
    ...around,
    ...texts,
    traceId,
    spanId,
    parentSpanId: parentSpanId.length === 0 ? null : parentSpanId,
    // The names by which SDKs say what a span is of.
    runId: idOf(attributes['hatchet.workflow_run_id']),
    taskId: idOf(attributes['hatchet.step_run_id']),
    attempt: attemptOf(attributes['hatchet.retry_count']),
    name: shownText(span.name, longestName),
    kind: known(span.kind, lastKind),
    status: known(span.status?.code ?? 0, lastStatus),
    statusMessage:
      span.status === undefined || span.status.message === '' ? null : shownText(span.status.message, longestName),
    startNs,
    durationNs: max(storedNs(span.endTimeUnixNano) - startNs, 0n),
  };
  return spanChars(read) > mostSpanChars ? `a span has up to ${mostSpanChars} characters` : read;
}

function idOf(attribute: unknown): string | null {
  return typeof attribute === 'string' ? (parseUuid(attribute) ?? null) : null;
}

function attemptOf(attribute: unknown): number {
  return typeof attribute === 'number' && Number.isInteger(attribute) && attribute >= 0 && attribute <= largestInteger
    ? attribute
    : 0;
}

/** One that is not known yet is as good as none. */
function known(value: number, last: number): number {
  return value >= 0 && value <= last ? value : 0;
}

function storedNs(ns: bigint): bigint {
  return ns > latestNs ? latestNs : ns;
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
