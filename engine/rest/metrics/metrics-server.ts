import { Hono } from 'hono';
import type { Address } from '../../base/engine-options.ts';
import type { Logger } from '../../base/log.ts';
import { metricsType, type Metrics } from '../../metrics/metrics.ts';
import { isLoopbackHost } from '../../net/bind-address.ts';
import type { TlsIdentity } from '../../net/tls-identity.ts';
import type { RestEnv } from '../deps.ts';
import { errorAnswer } from '../error-answer.ts';
import { hostCheck } from '../host-check.ts';
import { serveApp, type RestServer } from '../rest-server.ts';

interface MetricsServerOptions extends Address {
  metrics: Metrics;
  tls: TlsIdentity | undefined;
  allowedHosts: readonly string[];
  log: Logger;
}

/**
 * The metrics of the engine and of all its tenants, on a port of their own and without a token: whoever reaches the port may read
 * the names of tenants' workflows, keys and workers. Web pages are kept away from a loopback address as they are from the API.
 * @throws HatchetError PORT_TAKEN
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<RestServer> {
  const app = new Hono<RestEnv>();
  app.notFound((context) => context.text('there is only GET /metrics here\n', 404));
  app.onError((thrown, context) => errorAnswer(context, thrown, options.log));
  if (await isLoopbackHost(options.host)) app.use(hostCheck({ allowed: [options.host, ...options.allowedHosts] }));
  app.get('/metrics', async (context) =>
    context.body(await options.metrics.ofEngine(), 200, { 'content-type': metricsType }),
  );
  return serveApp(app, 'metrics', options);
}
