import type { ServiceDefinition } from '@grpc/grpc-js';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { ServerReflectionService } from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import { healthService, type HealthDeps } from './health-service.ts';
import { reflectionService } from './reflection-service.ts';
import type { GrpcService } from './grpc-server.ts';

/** With what those ask who run an engine: whether it is healthy, and what it serves. */
export function withOperatorServices(services: readonly GrpcService[], deps: HealthDeps): GrpcService[] {
  const names = [...services.map(({ definition }) => definition), HealthService, ServerReflectionService].map(nameOf);
  return [...services, healthService(deps, names), reflectionService(deps, names)];
}

/** As its methods' paths have it: `/package.Service/Method`. */
function nameOf(definition: ServiceDefinition): string {
  const [method] = Object.values(definition);
  return method?.path.split('/')[1] ?? '';
}
