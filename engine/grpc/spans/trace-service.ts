import type { TenantLimits } from '../../auth/tenant-limits.ts';
import { HatchetError } from '../../base/errors.ts';
import type { DailyUse } from '../../edge/limits/daily-use.ts';
import { spanChars } from '../../model/span.ts';
import type { SpanWriter } from '../../writers/span-writer.ts';
import {
  TraceServiceService,
  type ExportTraceServiceResponse,
} from '../../../proto/gen/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import type { Edge } from '../edge.ts';
import type { GrpcService } from '../grpc-server.ts';
import { serve, type Handlers } from '../handlers.ts';
import { readSpans } from './read-spans.ts';

export interface TraceDeps extends Edge {
  spans: SpanWriter;
  limits: TenantLimits;
  /** What tenants have logged today, spans included. */
  logged: DailyUse;
}

/** Where the exporters of Hatchet's SDKs send their spans. */
export function traceService(deps: TraceDeps): GrpcService {
  return serve(deps, TraceServiceService, handlers(deps));
}

function handlers({ spans: writer, limits, logged }: TraceDeps): Handlers<typeof TraceServiceService> {
  return {
    export: async ({ resourceSpans }, { tenantId }) => {
      const { spans, rejected, reason } = readSpans(tenantId, resourceSpans);
      const chars = spans.reduce((sum, span) => sum + spanChars(span), 0);
      try {
        logged.take(tenantId, limits.of(tenantId), chars, Date.now());
      } catch (error) {
        // An error would have them sent again and again, until midnight.
        if (!(error instanceof HatchetError && error.code === 'LIMIT_REACHED')) throw error;
        return answer(rejected + spans.length, error.message);
      }
      const failed = await writer.writeEach(spans);
      const [failure] = failed.values();
      return answer(rejected + failed.size, failure?.message ?? reason);
    },
  };
}

function answer(rejected: number, errorMessage: string): ExportTraceServiceResponse {
  return rejected === 0 ? {} : { partialSuccess: { rejectedSpans: BigInt(rejected), errorMessage } };
}
