import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** How an engine on this machine speaks TLS, as its `engine.json` says. */
export interface LocalTls {
  /** The certificate that it serves. */
  certFile: string;
  /** Whether clients have to have one too. */
  clientCertificates: boolean;
}

/** Reads the field `tls` of `engine.json`. */
export function parseLocalTls(value: unknown): LocalTls | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const certFile: unknown = Reflect.get(value, 'certFile');
  return typeof certFile === 'string'
    ? { certFile, clientCertificates: Reflect.get(value, 'clientCertificates') === true }
    : undefined;
}

/**
 * What a client needs to know that it speaks to that engine, besides what every client knows: the certificate is for the name
 * under which other machines reach it, and its authority may be itself.
 */
export function trustLocal(
  { certFile }: LocalTls,
  hostPort: string,
): { caFile: string | undefined; serverName: string | undefined } {
  try {
    const certificate = new X509Certificate(readFileSync(certFile));
    const host = hostPort.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    const isFor = certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined;
    return {
      caFile: certificate.checkIssued(certificate) ? certFile : undefined,
      serverName: isFor ? undefined : firstName(certificate),
    };
  } catch {
    return { caFile: undefined, serverName: undefined }; // the handshake will say what is wrong
  }
}

function firstName({ subjectAltName }: X509Certificate): string | undefined {
  return /DNS:([^,\s]+)/.exec(subjectAltName ?? '')?.[1]?.replace('*', 'engine');
}
