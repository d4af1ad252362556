import type { Context, Hono } from 'hono';
import { HatchetError } from '../base/errors.ts';
import { noCaller } from '../edge/access/caller.ts';
import type { CallFacts, Gate } from '../edge/access/gate.ts';
import { routeRules, type PathOf, type Route, type RouteMethod } from '../edge/access/route-rules.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { parseTenantId } from '../model/ids/tenant-id.ts';
import { addressOf } from './client-address.ts';
import type { RestEnv } from './deps.ts';

type Handler<Path extends string> = (context: Context<RestEnv, Path>) => Response | Promise<Response>;

/**
 * Registers routes, with the gate before each. Only paths that have a rule of who may call them can be registered. Whoever
 * calls was found out before; here is decided what they may do.
 */
export class Router {
  readonly #app: Hono<RestEnv>;
  readonly #gate: Gate;

  constructor(app: Hono<RestEnv>, gate: Gate) {
    this.#app = app;
    this.#gate = gate;
  }

  get<Path extends PathOf<'GET'>>(path: Path, handler: Handler<Path>): void {
    this.#on('GET', path, handler);
  }

  post<Path extends PathOf<'POST'>>(path: Path, handler: Handler<Path>): void {
    this.#on('POST', path, handler);
  }

  patch<Path extends PathOf<'PATCH'>>(path: Path, handler: Handler<Path>): void {
    this.#on('PATCH', path, handler);
  }

  delete<Path extends PathOf<'DELETE'>>(path: Path, handler: Handler<Path>): void {
    this.#on('DELETE', path, handler);
  }

  #on<Method extends RouteMethod, Path extends PathOf<Method>>(
    method: Method,
    path: Path,
    handler: Handler<Path>,
  ): void {
    const action = `${method} ${path}`;
    if (!isRoute(action)) throw new Error(`${action} has no rule of who may call it`);
    const rule = routeRules[action];
    const run = async (context: Context<RestEnv, Path>): Promise<Response> => {
      if (rule.needs === 'anyone') {
        context.set('caller', noCaller);
        return handler(context);
      }
      const facts: CallFacts = { rule, action, address: () => addressOf(context) };
      const caller = this.#gate.admit(context.get('identity'), facts);
      // A path that names another tenant answers as one that names none.
      const tenant = context.req.param('tenant');
      if (tenant !== undefined && parseTenantId(tenant) !== caller.tenantId) throw unknownTenant(tenant);
      context.set('caller', caller);
      try {
        const response = await handler(context);
        await this.#gate.note(caller, facts);
        return response;
      } catch (error) {
        await this.#gate.note(caller, facts, error);
        throw error;
      }
    };
    this.#app.on(method, path, run);
  }
}

function isRoute(action: string): action is Route {
  return Object.hasOwn(routeRules, action);
}

export function unknownTenant(id: string): HatchetError {
  return new HatchetError('UNKNOWN_RUN', `there is no tenant ${quoted(id)}`, { remedy: 'Check the id and the token.' });
}
