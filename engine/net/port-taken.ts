import type { Address } from '../base/engine-options.ts';
import { HatchetError } from '../base/errors.ts';

/** The two ports that clients speak to. */
export type PortKind = 'grpc' | 'http';

const names = { grpc: 'gRPC', http: 'HTTP', metrics: 'metrics' } as const;

/** A port that an engine was told to listen on, and cannot. */
export function portTaken(kind: PortKind | 'metrics', { host, port }: Address, cause: Error): HatchetError {
  return new HatchetError('PORT_TAKEN', `the ${names[kind]} port ${host}:${port} cannot be used: ${cause.message}`, {
    cause,
    details: { port, kind },
    remedy: `Stop the program that holds it, or choose another with --${kind}-port.`,
  });
}
