import type { Context } from 'hono';
import type { RestEnv } from './deps.ts';

/** Of the client, without the port. */
export function addressOf(context: Context<RestEnv>): string {
  return context.get('client') ?? context.env.incoming?.socket?.remoteAddress?.replace(/^::ffff:/, '') ?? '';
}
