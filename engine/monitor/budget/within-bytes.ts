/** Payloads up to this size come before larger ones: a page of tiny inputs is not lost to one that is large. */
const smallBytes = 4096;

/**
 * SQL for a page of rows: whether a payload, together with those that come before it, is within a budget of bytes. Small ones
 * come first, then all others in the page's order. Sizes are read without the payloads: `octet_length` of a text that lies
 * apart looks at its pointer alone.
 * @param bytes column with the payload's size
 * @param rest.order column by which the page is sorted, without ties
 * @param rest.budget parameter with the budget; null for no payloads at all
 * @param rest.before sizes of other payloads that come before these, as SQL
 */
export function withinBytes(
  bytes: string,
  { order, budget, before = '0' }: { order: string; budget: string; before?: string },
): string {
  return `${before} + sum(${bytes}) OVER (ORDER BY ${bytes} > ${smallBytes}, ${order}) <= ${budget}`;
}

/** Bytes that were left out, as Postgres gives them; null where the payload is there. */
export function leftOut(bytes: string | number | null, payload: string | null): number {
  return payload === null && bytes !== null ? Number(bytes) : 0;
}

interface PageText {
  /** A statement that gives the page's rows, with `metadata` as jsonb and the payload as text. */
  rows: string;
  columns: readonly string[];
  /** The payload's column. */
  payload: string;
  order: string;
  budget: string;
}

/** SQL for a page of rows with metadata and a payload each, as far as they are within a budget, and the sizes of both. */
export function payloadPage({ rows, columns, payload, order, budget }: PageText): string {
  return `
    SELECT ${columns.map((column) => `p.${column}`).join(', ')}, p.metadata_bytes AS "metadataBytes", p.payload_bytes AS "payloadBytes",
      CASE WHEN p.metadata_fits THEN p.metadata::text END AS metadata, CASE WHEN p.payload_fits THEN p.${payload} END AS ${payload}
    FROM (
      SELECT p.*, ${withinBytes('p.metadata_bytes', { order: `p.${order}`, budget })} AS metadata_fits,
        ${withinBytes('p.payload_bytes', { order: `p.${order}`, budget, before: 'sum(p.metadata_bytes) OVER ()' })} AS payload_fits
      FROM (
        SELECT q.*, CASE WHEN ${budget}::bigint IS NULL THEN 0 ELSE octet_length(q.metadata::text) END AS metadata_bytes, octet_length(q.${payload}) AS payload_bytes FROM (${rows}) q
      ) p
    ) p
    ORDER BY p.${order}`;
}

/** Sizes of a row's payloads, whether they were read or not. */
export interface PayloadSizes {
  metadataBytes: number;
  payloadBytes: number;
}

/** What was left out of a row for want of room; it is an empty object there. */
export interface LeftOutSizes {
  metadataLeftOut: number;
  payloadLeftOut: number;
}

/** A row's metadata and payload as they are shown. */
export function shownPayloads(
  row: PayloadSizes & { metadata: string | null },
  payload: string | null,
): LeftOutSizes & { metadata: string; payload: string } {
  return {
    metadata: row.metadata ?? '{}',
    payload: payload ?? '{}',
    metadataLeftOut: leftOut(row.metadataBytes, row.metadata),
    payloadLeftOut: leftOut(row.payloadBytes, payload),
  };
}

/** Bytes of what a page has brought, and of what it left out. */
export function pageSize(rows: readonly (LeftOutSizes & { metadata: string; input?: string; payload?: string })[]): {
  brought: number;
  leftOut: number;
} {
  return {
    brought: rows.reduce((sum, row) => sum + row.metadata.length + (row.input ?? row.payload ?? '').length, 0),
    leftOut: rows.reduce((sum, row) => sum + row.metadataLeftOut + row.payloadLeftOut, 0),
  };
}

interface CutText {
  /** A statement that gives the page's rows, with their size as `bytes`. */
  rows: string;
  columns: readonly string[];
  order: string;
  budget: string;
}

/** SQL for a page that ends before it is larger than a budget; its first row is always there. What is cut off begins the next page. */
export function cutPage({ rows, columns, order, budget }: CutText): string {
  return `
    SELECT ${columns.map((column) => `p.${column}`).join(', ')}, p.bytes, p.all_rows, p.all_bytes
    FROM (
      SELECT p.*, sum(p.bytes) OVER (ORDER BY p.${order}) AS upto, count(*) OVER () AS all_rows, sum(p.bytes) OVER () AS all_bytes FROM (${rows}) p
    ) p
    WHERE p.upto <= ${budget} OR p.upto = p.bytes
    ORDER BY p.${order}`;
}

/** What a row of a cut page says of the page. */
export interface CutRow {
  bytes: number;
  all_rows: string;
  all_bytes: string;
}

export interface Cut {
  /** There are rows that the page would have had, or may be some behind it. */
  more: boolean;
  brought: number;
  leftOut: number;
}

/** @param limit of rows that the page was read with */
export function cutOf(rows: readonly CutRow[], limit: number): Cut {
  const [first] = rows;
  const brought = rows.reduce((sum, row) => sum + row.bytes, 0);
  return first === undefined
    ? { more: false, brought: 0, leftOut: 0 }
    : {
        more: rows.length < Number(first.all_rows) || rows.length === limit,
        brought,
        leftOut: Number(first.all_bytes) - brought,
      };
}
