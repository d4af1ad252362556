import { Hatchet } from '../../sdk/index.ts';
import { quiet } from './quiet-logger.ts';

/** Deleted tenants are looked for every 30 s, and their rows stay for 10 s more. */
export const untilPurged = { timeout: 110_000 };

/** A client of another tenant than the engine's own token names. */
export function clientOf(engine: { grpc: { port: number }; http: { port: number } }, token: string): Hatchet {
  return Hatchet.init({
    token,
    hostPort: `127.0.0.1:${engine.grpc.port}`,
    apiUrl: `http://127.0.0.1:${engine.http.port}`,
    tlsConfig: { strategy: 'none' },
    logger: () => quiet,
  });
}
