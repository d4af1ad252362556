import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import type { Addresses, Tokens } from './tokens.ts';

/** The data folder's own token (0600), for programs beside it; made anew when it is refused or names other addresses. */
export async function ensureLocalToken(tokens: Tokens, options: { dataDir: string; tenantId: string; addresses: Addresses }): Promise<string> {
  const path = join(options.dataDir, 'token');
  const known = readToken(path);
  if (known !== undefined && (await stillGood(tokens, known, options))) return known;
  const token = await tokens.create({ tenantId: options.tenantId, name: 'local', addresses: options.addresses });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600 });
  renameSync(fresh, path);
  return token;
}

function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

async function stillGood(tokens: Tokens, token: string, options: { tenantId: string; addresses: Addresses }): Promise<boolean> {
  try {
    const identity = await tokens.authenticate(token);
    const claims = decodeJwt(token);
    return identity.tenantId === options.tenantId && claims['server_url'] === options.addresses.serverUrl && claims['grpc_broadcast_address'] === options.addresses.grpcBroadcastAddress;
  } catch {
    return false;
  }
}
