import { randomBytes } from 'node:crypto';
import { status as Code } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { parseTenantId, type TenantId } from '../../engine/model/ids/tenant-id.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { readSpans, traceIdOf, type StoredSpan } from '../../engine/monitor/span-reads.ts';
import type { ExportTraceServiceResponse } from '../../proto/gen/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import type { AnyValue, KeyValue } from '../../proto/gen/opentelemetry/proto/common/v1/common.ts';
import { Span_SpanKind, Status_StatusCode, type Span } from '../../proto/gen/opentelemetry/proto/trace/v1/trace.ts';
import { codeOf } from '../helpers/contract-fixture.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';

const fixture = engineFixture('spans');
let clients: GrpcClients;
let neighbour: GrpcClients;
let tenantId: TenantId;
let neighbourId: TenantId;

beforeAll(async () => {
  ({ clients } = fixture);
  const made = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  neighbour = new GrpcClients(fixture.engine.grpc, made.token);
  neighbourId = made.tenantId;
  const { rows } = await fixture.database.pool.query<{ id: string }>(`SELECT id FROM tenant WHERE name = 'default'`);
  const own = parseTenantId(rows[0]?.id ?? '');
  if (own === undefined) throw new Error('there is no tenant');
  tenantId = own;
});

afterAll(() => neighbour.close());

const text = (key: string, value: string): KeyValue => ({ key, value: { value: { $case: 'stringValue', value } } });
const startNs = BigInt(Date.now()) * 1_000_000n;

function span(options: Partial<Span> = {}): Span {
  const none = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0, flags: 0, traceState: '' };
  return {
    ...none,
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    parentSpanId: Buffer.alloc(0),
    name: 'work',
    kind: Span_SpanKind.SPAN_KIND_INTERNAL,
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs + 1_500n,
    attributes: [],
    events: [],
    links: [],
    ...options,
  };
}

/** As the exporters of SDKs send them: with gzip. */
function send(by: GrpcClients, spans: Span[]): Promise<ExportTraceServiceResponse> {
  const resource = { attributes: [text('service.name', 'shop')], droppedAttributesCount: 0 };
  const scope = { name: 'lib', version: '1.2', attributes: [], droppedAttributesCount: 0 };
  return by.call(
    by.traces,
    by.traces.export,
    { resourceSpans: [{ resource, schemaUrl: '', scopeSpans: [{ scope, schemaUrl: '', spans }] }] },
    { 'grpc-internal-encoding-request': 'gzip' },
  );
}

async function stored(of: TenantId, traceId: Buffer): Promise<StoredSpan[]> {
  const query = { tenantId: of, traceId, offset: 0, limit: 1000, bytes: 1_000_000 };
  return (await readSpans(fixture.database.pool, query)).spans;
}

const hatchetIds = (runId: string, taskId: string, attempt: number): KeyValue[] => [
  text('hatchet.workflow_run_id', runId),
  text('hatchet.step_run_id', taskId),
  { key: 'hatchet.retry_count', value: { value: { $case: 'intValue', value: BigInt(attempt) } } },
];

describe('spans that a program sends', () => {
  it('are stored whole, once, and read by their trace, their run and their task', async () => {
    const [runId, taskId] = [newId(), newId()];
    const first = span({
      kind: Span_SpanKind.SPAN_KIND_CONSUMER,
      attributes: hatchetIds(runId, taskId, 0),
      status: { code: Status_StatusCode.STATUS_CODE_ERROR, message: 'it broke\0' },
      events: [{ name: 'said', timeUnixNano: startNs, attributes: [text('a', 'b')], droppedAttributesCount: 0 }],
    });
    const { traceId } = first;
    const list: AnyValue = {
      value: { $case: 'arrayValue', value: { values: [{ value: { $case: 'intValue', value: 2n ** 60n } }, {}] } },
    };
    const child = span({
      traceId,
      parentSpanId: first.spanId,
      startTimeUnixNano: startNs + 1n,
      attributes: [{ key: 'list', value: list }, text('__proto__', 'x')],
      links: [{ ...first, traceId: first.traceId, attributes: [] }],
    });
    expect(await send(clients, [child, first])).toEqual({});
    expect(await send(clients, [first, child])).toEqual({});
    const [one, two, ...others] = await stored(tenantId, traceId);
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      spanId: first.spanId,
      parentSpanId: null,
      runId,
      taskId,
      attempt: 0,
      name: 'work',
      kind: 5,
      status: 2,
      statusMessage: 'it broke',
      startNs: String(startNs),
      durationNs: '1500',
      service: 'shop',
      scopeName: 'lib',
      scopeVersion: '1.2',
      resource: '{"service.name":"shop"}',
      events: JSON.stringify([{ name: 'said', timeUnixNano: String(startNs), attributes: { a: 'b' } }]),
    });
    expect(two).toMatchObject({
      parentSpanId: first.spanId,
      attributes: `{"list":["${2n ** 60n}",null],"__proto__":"x"}`,
      links: JSON.stringify([
        { traceId: traceId.toString('hex'), spanId: first.spanId.toString('hex'), traceState: '', attributes: {} },
      ]),
    });
    const { pool } = fixture.database;
    expect([await traceIdOf(pool, tenantId, runId), await traceIdOf(pool, tenantId, taskId)]).toEqual([
      traceId,
      traceId,
    ]);
    // The newest attempt's.
    const again = span({ attributes: hatchetIds(runId, taskId, 1), startTimeUnixNano: startNs - 5n });
    await send(clients, [again]);
    expect(await traceIdOf(pool, tenantId, taskId)).toEqual(again.traceId);
    expect(await traceIdOf(pool, tenantId, newId())).toBeUndefined();
  });

  it('are read a page at a time, in the order in which they began', async () => {
    const traceId = randomBytes(16);
    const spans = Array.from({ length: 30 }, (_, n) =>
      span({
        traceId,
        name: `n${n}`,
        startTimeUnixNano: startNs + BigInt(n),
        attributes: [text('a', 'x'.repeat(100))],
      }),
    );
    await send(clients, spans.toReversed());
    const page = (offset: number, limit: number, bytes: number) =>
      readSpans(fixture.database.pool, { tenantId, traceId, offset, limit, bytes });
    const [some, rest, few] = [await page(0, 20, 1e6), await page(20, 20, 1e6), await page(0, 20, 500)];
    expect([...some.spans, ...rest.spans].map(({ name }) => name)).toEqual(spans.map(({ name }) => name));
    expect([some.more, rest.more]).toEqual([true, false]);
    expect(few).toMatchObject({ more: true, spans: { length: 3 } });
  });

  it("are the tenant's own, whatever ids they name", async () => {
    const runId = newId();
    const mine = span({ attributes: hatchetIds(runId, runId, 0) });
    await send(clients, [mine]);
    expect(await stored(neighbourId, mine.traceId)).toEqual([]);
    expect(await traceIdOf(fixture.database.pool, neighbourId, runId)).toBeUndefined();
    // The same ids by another: neither is in the other's way.
    const copy = span({ ...mine, name: 'copy', attributes: hatchetIds(runId, runId, 9) });
    expect(await send(neighbour, [copy])).toEqual({});
    expect((await stored(tenantId, mine.traceId)).map(({ name }) => name)).toEqual(['work']);
    expect((await stored(neighbourId, mine.traceId)).map(({ name }) => name)).toEqual(['copy']);
  });

  it('that cannot be stored are rejected, and no others with them', async () => {
    let deep: AnyValue = {};
    for (let n = 0; n < 40; n++) deep = { value: { $case: 'arrayValue', value: { values: [deep] } } };
    for (const [wrong, reason] of [
      [span({ traceId: randomBytes(15) }), 'a trace id has 16 bytes'],
      [span({ spanId: Buffer.alloc(0) }), 'the id of a span has 8'],
      [span({ parentSpanId: randomBytes(4) }), 'a parent span has 8 bytes'],
      [span({ attributes: [{ key: 'deep', value: deep }] }), 'nests too deep'],
      [span({ attributes: [text('long', 'x'.repeat(70_000))] }), 'up to 65536 characters'],
    ] as const) {
      const good = span();
      expect((await send(clients, [wrong, good])).partialSuccess).toEqual({
        rejectedSpans: 1n,
        errorMessage: expect.stringContaining(reason),
      });
      expect(await stored(tenantId, good.traceId)).toHaveLength(1);
    }
    const traceId = randomBytes(16);
    const many = Array.from({ length: 2_003 }, () => span({ traceId }));
    expect((await send(clients, many)).partialSuccess?.rejectedSpans).toBe(3n);
    // What is beyond the ranges of the columns is no reason to lose a span.
    const odd = Object.assign(span({ endTimeUnixNano: 0n, startTimeUnixNano: 2n ** 64n - 1n }), { kind: 70_000 });
    expect(await send(clients, [odd])).toEqual({});
    expect(await stored(tenantId, odd.traceId)).toMatchObject([{ kind: 0, durationNs: '0' }]);
  });

  it('are as much as a tenant may log in a day, and then rejected without an error', async () => {
    const limits = (json: string) =>
      fixture.database.pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [neighbourId, json]);
    await limits('{"logCharsPerDay": 10}');
    await expect
      .poll(async () => (await send(neighbour, [span()])).partialSuccess)
      .toMatchObject({ rejectedSpans: 1n, errorMessage: expect.stringContaining('logCharsPerDay') });
    await limits('{}');
    await expect.poll(async () => (await send(neighbour, [span()])).partialSuccess).toBeUndefined();
  });

  it('need a token that may start runs', async () => {
    const { pool } = fixture.database;
    const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir: fixture.dataDir }));
    const addresses = { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' };
    for (const [role, code] of [
      ['viewer', Code.PERMISSION_DENIED],
      ['trigger', undefined],
    ] as const) {
      const token = await tokens.create({ tenantId, name: role, role, addresses });
      const caller = new GrpcClients(fixture.engine.grpc, token);
      expect(await codeOf(send(caller, [span()]))).toMatchObject({ code });
      caller.close();
    }
    const nobody = new GrpcClients(fixture.engine.grpc, 'nonsense');
    expect(await codeOf(send(nobody, [span()]))).toMatchObject({ code: Code.UNAUTHENTICATED });
    nobody.close();
  });
});
