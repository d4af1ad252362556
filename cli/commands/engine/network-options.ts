import { resolve } from 'node:path';
import type { EngineOptions } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { port } from '../../input/parse-flags.ts';

export const tlsVersions = ['1.2', '1.3'] as const;

export interface NetworkFlags {
  host: string;
  advertiseHost?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsClientCa?: string;
  tlsMinVersion?: (typeof tlsVersions)[number];
  insecure?: true;
  allowedHost?: readonly string[];
  metricsPort?: number;
  metricsHost?: string;
  compressedCalls?: true;
}

type NetworkOptions = Pick<
  EngineOptions,
  'host' | 'advertiseHost' | 'tls' | 'insecure' | 'allowedHosts' | 'metricsPort' | 'metricsHost' | 'compressedCalls'
>;

/** Where an engine listens and how: flags, then HATCHET_ENGINE_*. @throws CliError with exit code 2 */
export function networkOptions({ cwd, env }: Pick<CliContext, 'cwd' | 'env'>, flags: NetworkFlags): NetworkOptions {
  const setting = (name: string): string | undefined =>
    env[`HATCHET_ENGINE_${name}`] === '' ? undefined : env[`HATCHET_ENGINE_${name}`];
  const certFile = flags.tlsCert ?? setting('TLS_CERT');
  const keyFile = flags.tlsKey ?? setting('TLS_KEY');
  const clientCaFile = flags.tlsClientCa ?? setting('TLS_CLIENT_CA');
  const version = flags.tlsMinVersion ?? setting('TLS_MIN_VERSION');
  const minVersion = tlsVersions.find((each) => each === version);
  if (version !== undefined && minVersion === undefined)
    throw wrongUse(`HATCHET_ENGINE_TLS_MIN_VERSION is ${JSON.stringify(version)}`, `Use ${tlsVersions.join(' or ')}.`);
  const allowedHosts =
    flags.allowedHost ??
    setting('ALLOWED_HOSTS')
      ?.split(',')
      .map((name) => name.trim());
  const advertiseHost = flags.advertiseHost ?? setting('ADVERTISE_HOST');
  const metricsPort = flags.metricsPort ?? portOf(setting('METRICS_PORT'));
  const metricsHost = flags.metricsHost ?? setting('METRICS_HOST');
  if (metricsHost !== undefined && metricsPort === undefined)
    throw wrongUse('--metrics-host was given without a port for metrics', 'Add --metrics-port.');
  const rest = {
    host: flags.host,
    ...(metricsPort === undefined ? {} : { metricsPort }),
    ...(metricsHost === undefined ? {} : { metricsHost }),
    ...(advertiseHost === undefined ? {} : { advertiseHost }),
    ...(flags.insecure === true ? { insecure: true } : {}),
    ...(flags.compressedCalls === true ? { compressedCalls: true } : {}),
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
  };
  if (certFile === undefined && keyFile === undefined) {
    if (clientCaFile !== undefined)
      throw wrongUse('--tls-client-ca was given without a certificate of the engine', 'Add --tls-cert and --tls-key.');
    return rest;
  }
  if (certFile === undefined || keyFile === undefined)
    throw wrongUse('TLS needs a certificate and its key', 'Give both --tls-cert and --tls-key.');
  const path = (file: string): string => resolve(cwd, file);
  const tls = {
    certFile: path(certFile),
    keyFile: path(keyFile),
    ...(clientCaFile === undefined ? {} : { clientCaFile: path(clientCaFile) }),
    ...(minVersion === undefined ? {} : { minVersion }),
  };
  return { ...rest, tls };
}

/** @throws CliError with exit code 2 */
function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return port(text);
  } catch {
    throw wrongUse(`HATCHET_ENGINE_METRICS_PORT is ${JSON.stringify(text)}`, 'Use a port from 0 to 65535.');
  }
}
