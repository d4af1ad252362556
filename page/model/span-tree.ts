import type { OtelSpan } from '../../proto/gen/rest/answers.ts';

/** One span, beneath the one that it belongs to, in percent of the trace's time. */
export interface SpanRow {
  key: string;
  name: string;
  /** 0 for one that belongs to none of the others. */
  depth: number;
  service: string;
  failed: boolean;
  message: string;
  from: number;
  length: number;
  ms: number;
  attributes: Readonly<Record<string, string>>;
}

export interface SpanTree {
  rows: readonly SpanRow[];
  beginMs: number;
  ms: number;
}

/** Spans as a tree: each after the one that it belongs to, those of one by when they began. One whose parent was not sent stands at the top. */
export function spanTree(spans: readonly OtelSpan[]): SpanTree {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const below = new Map<string, OtelSpan[]>();
  for (const span of spans) {
    const parent = span.parentSpanId !== undefined && byId.has(span.parentSpanId) ? span.parentSpanId : '';
    const siblings = below.get(parent) ?? [];
    below.set(parent, siblings);
    siblings.push(span);
  }
  const beginMs = Math.min(...spans.map(beginOf));
  const ms = Math.max(...spans.map((span) => beginOf(span) + msOf(span))) - beginMs;
  const percent = (some: number): number => (ms > 0 ? (some / ms) * 100 : 0);
  const rows: SpanRow[] = [];
  const seen = new Set<string>();
  const add = (span: OtelSpan, depth: number): void => {
    // Ids are the senders': a span may claim to be beneath itself.
    if (seen.has(span.spanId)) return;
    seen.add(span.spanId);
    rows.push({
      key: span.spanId,
      name: span.spanName,
      depth,
      service: span.serviceName,
      failed: span.statusCode === 'ERROR',
      message: span.statusMessage ?? '',
      from: percent(beginOf(span) - beginMs),
      length: percent(msOf(span)),
      ms: msOf(span),
      attributes: span.spanAttributes,
    });
    for (const child of below.get(span.spanId) ?? []) add(child, depth + 1);
  };
  for (const span of below.get('') ?? []) add(span, 0);
  // What is left is beneath itself, by some way.
  for (const span of spans) add(span, 0);
  return { rows, beginMs: spans.length === 0 ? 0 : beginMs, ms: spans.length === 0 ? 0 : ms };
}

function beginOf({ createdAt }: OtelSpan): number {
  return Date.parse(createdAt);
}

function msOf({ durationNs }: OtelSpan): number {
  return durationNs / 1e6;
}
