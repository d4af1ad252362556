import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { HatchetError } from '../errors.ts';
import type { Address } from '../config.ts';

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface GrpcServer {
  address: Address;
  /** Lets open calls end for `graceMs`, then cuts them. */
  stop(graceMs: number): Promise<void>;
}

/** A bulk trigger may carry many payloads of up to 4 MiB each; SDKs cut their calls at 4 MiB. */
const longestMessage = 64 * 1024 * 1024;

/** @throws HatchetError PORT_TAKEN */
export async function startGrpc(options: { host: string; port: number; services: readonly GrpcService[] }): Promise<GrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': longestMessage,
    'grpc.max_send_message_length': longestMessage,
    // Finds peers that vanished without a word. Clients ping every 10 s even when idle.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Nobody reads the per-call traces that are kept otherwise.
    'grpc.enable_channelz': 0,
  });
  for (const { definition, implementation } of options.services) server.addService(definition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(portTaken(options, error));
    });
  });
  return {
    address: { host: options.host, port },
    async stop(graceMs) {
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(timer);
    },
  };
}

function portTaken(options: { host: string; port: number }, cause: Error): HatchetError {
  return new HatchetError('PORT_TAKEN', `the gRPC port ${options.host}:${options.port} cannot be used: ${cause.message}`, {
    cause,
    details: { port: options.port, kind: 'grpc' },
    remedy: 'Stop the program that holds it, or choose another with --grpc-port.',
  });
}
