import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { HatchetError } from '../base/errors.ts';
import { spanChars, type NewSpan } from '../model/span.ts';
import { RowBuffer } from '../postgres/row-buffer.ts';
import { dayBound, dayOf } from '../postgres/schema/day-partitions.ts';

/** An exporter sends spans again whose answer it missed: of a day, each is stored once. */
const insertSpans = {
  name: 'insert_spans',
  text: `
    INSERT INTO span (id, tenant_id, trace_id, span_id, parent_span_id, run_id, task_id, attempt, name, kind, status, status_message, start_ns, duration_ns, service, scope_name, scope_version, attributes, resource, events, links)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::uuid[], $7::uuid[], $8::integer[], $9::text[], $10::smallint[], $11::smallint[], $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
    ON CONFLICT (id) DO NOTHING`,
};

/** Spans, apart from the commit lane. */
export class SpanWriter {
  readonly #buffer: RowBuffer<NewSpan>;

  constructor(pool: Pool) {
    this.#buffer = new RowBuffer<NewSpan>({
      what: 'spans',
      batchRows: 500,
      mostRows: 20_000,
      mostWeight: 64 * 1024 * 1024,
      weightOf: spanChars,
      store: async (spans) => {
        const day = dayOf(Date.now());
        await pool.query({
          ...insertSpans,
          values: [
            spans.map((span) => idOfDay(day, span)),
            spans.map((span) => span.tenantId),
            spans.map((span) => span.traceId),
            spans.map((span) => span.spanId),
            spans.map((span) => span.parentSpanId),
            spans.map((span) => span.runId),
            spans.map((span) => span.taskId),
            spans.map((span) => span.attempt),
            spans.map((span) => span.name),
            spans.map((span) => span.kind),
            spans.map((span) => span.status),
            spans.map((span) => span.statusMessage),
            spans.map((span) => span.startNs),
            spans.map((span) => span.durationNs),
            spans.map((span) => span.service),
            spans.map((span) => span.scopeName),
            spans.map((span) => span.scopeVersion),
            spans.map((span) => span.attributes),
            spans.map((span) => span.resource),
            spans.map((span) => span.events),
            spans.map((span) => span.links),
          ],
        });
      },
    });
  }

  /** @returns by their places, why spans could not be stored @throws HatchetError BUSY */
  writeEach(spans: readonly NewSpan[]): Promise<ReadonlyMap<number, HatchetError>> {
    return this.#buffer.writeEach(spans);
  }

  /** Writes what is left. */
  stop(): Promise<void> {
    return this.#buffer.stop();
  }
}

/**
 * The day on which it came, and a hash of whose it is and of its own ids: the same for whoever sends it again, of another tenant
 * never. Not the day on which it began: that is the sender's word, and there need be no partition of it.
 */
function idOfDay(day: number, { tenantId, traceId, spanId }: NewSpan): string {
  const hash = createHash('sha256').update(tenantId).update(traceId).update(spanId).digest('hex');
  return `${dayBound(day).slice(0, 13)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}
