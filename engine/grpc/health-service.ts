import { HatchetError } from '../base/errors.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { pause } from '../../link/backoff.ts';
import { HealthCheckResponse_ServingStatus as Status, HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import type { Edge } from './edge.ts';
import type { GrpcService } from './grpc-server.ts';
import { serve, writeTo } from './handlers.ts';

/** Between two looks, for those who watch. Milliseconds. */
const lookMs = 250;

export interface HealthDeps extends Edge {
  /** Whether commands are being carried out: all services are as healthy as that. */
  isReady: () => boolean;
}

/**
 * The health protocol of gRPC, for probes and balancers: like `/api/ready` it needs no token. A connection without one is cut
 * after some seconds, as any other; who watches with one is told of changes for as long as it likes.
 * @param services full names of those that are served
 */
export function healthService({ isReady, ...edge }: HealthDeps, services: readonly string[]): GrpcService {
  const known = new Set(['', ...services]);
  const statusNow = (): typeof Status.SERVING | typeof Status.NOT_SERVING =>
    isReady() ? Status.SERVING : Status.NOT_SERVING;
  return serve(edge, HealthService, {
    check: async ({ service }) => {
      if (!known.has(service))
        throw new HatchetError('UNKNOWN_SERVICE', `there is no service ${quoted(service)}`, {
          remedy: 'Leave the name out, to ask for the engine as a whole.',
        });
      return { status: statusNow() };
    },
    watch: async (call, _caller, signal) => {
      const { service } = call.request;
      let told: Status | undefined;
      while (!signal.aborted) {
        const status = known.has(service) ? statusNow() : Status.SERVICE_UNKNOWN;
        if (status !== told) await writeTo(call, { status }, signal);
        told = status;
        await pause(lookMs, signal);
      }
    },
  });
}
