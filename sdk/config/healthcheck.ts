import { HatchetError } from '../errors.ts';

/** A port on which a worker's process tells how it is. */
export interface HealthcheckOptions {
  /** @default HATCHET_CLIENT_WORKER_HEALTHCHECK_ENABLED, else false */
  enabled?: boolean | undefined;
  /** @default HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT, else 8001 */
  port?: number | undefined;
  /** @default HATCHET_CLIENT_WORKER_HEALTHCHECK_BIND_ADDRESS, else '0.0.0.0' */
  bindAddress?: string | undefined;
  /** Seconds for which the event loop may be busy. @default HATCHET_CLIENT_WORKER_HEALTHCHECK_EVENT_LOOP_BLOCK_THRESHOLD_SECONDS, else 5 */
  eventLoopBlockThresholdSeconds?: number | undefined;
}

/** Where it is settled. */
export interface Healthcheck {
  readonly port: number;
  readonly bindAddress: string;
  readonly blockThresholdMs: number;
}

/** @returns `undefined` where there is to be none @throws HatchetError NOT_CONFIGURED */
export function resolveHealthcheck(
  options: HealthcheckOptions,
  setting: (name: string) => string | undefined,
): Healthcheck | undefined {
  const named = (name: string): string | undefined => setting(`WORKER_HEALTHCHECK_${name}`);
  if (!(options.enabled ?? /^(?:true|1)$/i.test(named('ENABLED') ?? ''))) return undefined;
  const port = options.port ?? Number(named('PORT') ?? 8001);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw wrong('port', named('PORT') ?? port, 'HATCHET_CLIENT_WORKER_HEALTHCHECK_PORT to a number from 1 to 65535');
  const seconds = options.eventLoopBlockThresholdSeconds ?? Number(named('EVENT_LOOP_BLOCK_THRESHOLD_SECONDS') ?? 5);
  if (!(seconds > 0 && seconds <= 86_400))
    throw wrong(
      'event loop threshold',
      named('EVENT_LOOP_BLOCK_THRESHOLD_SECONDS') ?? seconds,
      'HATCHET_CLIENT_WORKER_HEALTHCHECK_EVENT_LOOP_BLOCK_THRESHOLD_SECONDS to a number of seconds, such as 5',
    );
  return {
    port,
    bindAddress: options.bindAddress ?? named('BIND_ADDRESS') ?? '0.0.0.0',
    blockThresholdMs: seconds * 1_000,
  };
}

function wrong(what: string, value: unknown, remedy: string): HatchetError {
  return new HatchetError('NOT_CONFIGURED', `the ${what} of the worker's health check is ${JSON.stringify(value)}`, {
    remedy: `Set ${remedy}`,
  });
}
