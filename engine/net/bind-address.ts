import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HatchetError } from '../base/errors.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Of an address, not of a name. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether only programs of this machine reach what listens on the host. A name that leads nowhere is left to whoever listens. */
export async function isLoopbackHost(host: string): Promise<boolean> {
  if (isIP(host) !== 0) return isLoopbackAddress(host);
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.every(({ address }) => isLoopbackAddress(address));
}

/** Tokens and payloads are no affair of whoever else is on the network. @throws HatchetError INSECURE_BIND */
export async function checkBind(options: { host: string; hasTls: boolean; isInsecureAllowed: boolean }): Promise<void> {
  const { host, hasTls, isInsecureAllowed } = options;
  if (hasTls || isInsecureAllowed || (await isLoopbackHost(host))) return;
  throw new HatchetError(
    'INSECURE_BIND',
    `${host} is reachable from other machines, and without TLS whoever is on the way reads and changes tokens, inputs and outputs`,
    {
      details: { host },
      remedy:
        'Give a certificate (--tls-cert, --tls-key), listen on 127.0.0.1 behind a proxy that has one, or allow plain text on a network that you trust with --insecure.',
    },
  );
}

/** `host:port` as addresses are written; IPv6 has brackets. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** The parts of what `hostPort` has written. */
export function splitHostPort(text: string): { host: string; port: number } {
  const { hostname, port } = new URL(`http://${text}`);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 80 : Number(port) };
}

/** Whether it stands for all addresses of this machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '';
}
