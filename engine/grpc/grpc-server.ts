import { createServer, type Server as NetServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Address } from '../base/engine-options.ts';
import type { ConnectionGuard } from '../net/connection-guard.ts';
import { listen, type SocketSource } from '../net/listen.ts';
import type { TlsIdentity } from '../net/tls-identity.ts';

export interface GrpcService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface GrpcServer {
  address: Address;
  /** Lets open calls end for `graceMs`, and then the connections with them. New ones are taken. */
  turnAway(graceMs: number): void;
  /** Lets open calls end for `graceMs`, then cuts them. */
  stop(graceMs: number): Promise<void>;
}

export interface GrpcOptions {
  host: string;
  port: number;
  /** In place of a port of its own. */
  sockets?: SocketSource | undefined;
  services: readonly GrpcService[];
  connections: ConnectionGuard;
  tls: TlsIdentity | undefined;
  interceptors?: readonly ServerInterceptor[];
}

/** A bulk trigger may carry many payloads of up to 4 MiB each; SDKs cut their calls at 4 MiB. */
const longestMessage = 64 * 1024 * 1024;
/** An SDK keeps a stream open for each run that it waits for, all of them on one connection. */
const mostStreams = 10_000;
/** Of a connection without an open call. Clients connect again with their next one. */
const idleMs = 30 * 60_000;

/**
 * The sockets are accepted here and handed over: grpc-js neither counts connections nor ends those that never speak, and
 * takes no least version of TLS. (Headers over 64 KiB are refused by Node's HTTP/2 itself.)
 * @throws HatchetError PORT_TAKEN
 */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const server = new Server({
    interceptors: [...(options.interceptors ?? [])],
    'grpc.max_receive_message_length': longestMessage,
    'grpc.max_send_message_length': longestMessage,
    'grpc.max_concurrent_streams': mostStreams,
    'grpc.max_connection_idle_ms': idleMs,
    // Finds peers that vanished without a word. Clients ping every 10 s even when idle.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Nobody reads the per-call traces that are kept otherwise.
    'grpc.enable_channelz': 0,
  });
  for (const { definition, implementation } of options.services) server.addService(definition, implementation);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createListener(options, (socket) => injector.injectConnection(socket));
  options.connections.watch(listener);
  const address = await listen(listener, 'grpc', options);
  return {
    address,
    turnAway: (graceMs) => injector.drain(graceMs),
    async stop(graceMs) {
      const closed = closeListener(listener);
      // A session that failed in its preface is never reported as closed, and forceShutdown knows none without channelz.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      server.forceShutdown();
      options.connections.endAll();
      await closed;
    },
  };
}

function createListener({ tls }: GrpcOptions, onSocket: Parameters<typeof createServer>[1] & object): NetServer {
  if (tls === undefined) return createServer({ noDelay: true }, onSocket);
  const listener = createTlsServer({ ...tls.serverOptions, ALPNProtocols: ['h2'], noDelay: true });
  listener.on('secureConnection', (socket) => {
    socket.on('error', () => undefined); // 'close' follows
    onSocket(socket);
  });
  tls.serve(listener);
  return listener;
}

/** Where its connections are handed over it does not listen. */
function closeListener(listener: NetServer): Promise<void> {
  return new Promise((resolve) => void (listener.listening ? listener.close(() => resolve()) : resolve()));
}
