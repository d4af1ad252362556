import type { MiddlewareHandler } from 'hono';
import { HatchetError } from '../base/errors.ts';
import { isLoopbackAddress } from '../net/bind-address.ts';
import type { RestEnv } from './deps.ts';

/**
 * Keeps web pages away from an engine that listens on a loopback address: a page of another site, or one whose name was
 * made to lead to this machine (DNS rebinding), sends requests from the browser of whoever looks at it. On other addresses
 * an engine does not know under which names it is reached.
 * @param options.allowed names besides the loopback's, such as a proxy's
 */
export function hostCheck(options: { allowed: readonly string[] }): MiddlewareHandler<RestEnv> {
  const allowed = new Set(options.allowed.map((name) => name.toLowerCase()));
  const isOwn = (name: string): boolean => allowed.has(name) || isLoopbackName(name);
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const name = nameOf(`http://${host}`);
    if (name === undefined || !isOwn(name)) throw refused('the host', host);
    const origin = context.req.header('origin');
    if (origin !== undefined) {
      const from = nameOf(origin);
      if (from === undefined || !isOwn(from)) throw refused('a page of', origin);
    }
    await next();
  };
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name);
}

/** Lower case, IPv6 without brackets. */
function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined;
}

function refused(what: string, name: string): HatchetError {
  return new HatchetError(
    'HOST_REFUSED',
    `requests for or from ${what} ${JSON.stringify(name)} are refused: this engine listens on a loopback address`,
    {
      remedy: 'Use 127.0.0.1 or localhost, or start the engine with --allowed-host and that name.',
    },
  );
}
