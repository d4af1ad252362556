import { randomBytes } from 'node:crypto';
import { KeyValue } from '../../../proto/gen/opentelemetry/proto/common/v1/common.ts';
import { Span, Span_SpanKind, Status_StatusCode } from '../../../proto/gen/opentelemetry/proto/trace/v1/trace.ts';
import type { GrpcClients } from '../../helpers/grpc-client.ts';

const attribute = (key: string, value: string): KeyValue =>
  KeyValue.fromPartial({ key, value: { value: { $case: 'stringValue', value } } });

/** An attempt of a run, and what failed inside of it, as a program with OpenTelemetry sends them. */
export async function sendSpans({ clients }: { clients: GrpcClients }, runId: string): Promise<void> {
  const traceId = randomBytes(16);
  const [outer, inner] = [randomBytes(8), randomBytes(8)];
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const ofRun = [attribute('hatchet.workflow_run_id', runId), attribute('hatchet.step_run_id', runId)];
  const spans = [
    Span.fromPartial({
      traceId,
      spanId: outer,
      name: 'greet',
      kind: Span_SpanKind.SPAN_KIND_CONSUMER,
      startTimeUnixNano: startNs,
      endTimeUnixNano: startNs + 40_000_000n,
      attributes: ofRun,
    }),
    Span.fromPartial({
      traceId,
      spanId: inner,
      parentSpanId: outer,
      name: 'charge the card',
      kind: Span_SpanKind.SPAN_KIND_CLIENT,
      startTimeUnixNano: startNs + 10_000_000n,
      endTimeUnixNano: startNs + 30_000_000n,
      attributes: [...ofRun, attribute('shop.card', '42')],
      status: { code: Status_StatusCode.STATUS_CODE_ERROR, message: 'no such card' },
    }),
  ];
  const resource = { attributes: [attribute('service.name', 'shop')], droppedAttributesCount: 0 };
  const answer = await clients.call(clients.traces, clients.traces.export, {
    resourceSpans: [{ resource, schemaUrl: '', scopeSpans: [{ schemaUrl: '', spans }] }],
  });
  if (answer.partialSuccess !== undefined) throw new Error(answer.partialSuccess.errorMessage);
}
