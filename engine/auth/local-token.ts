import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { HatchetError } from '../base/errors.ts';
import type { Addresses, Tokens } from './tokens.ts';
import { parseTenantId, type TenantId } from '../model/ids/tenant-id.ts';

/** The data folder's own token (0600), for programs beside it; made anew when it is refused or names other addresses. */
export async function ensureLocalToken(
  tokens: Tokens,
  options: { dataDir: string; tenantId: TenantId; addresses: Addresses },
): Promise<string> {
  const path = join(options.dataDir, 'token');
  const known = readToken(path);
  if (known !== undefined && (await stillGood(tokens, known, options))) return known;
  return writeLocalToken(tokens, options);
}

/** Makes the token anew where its key was retired: programs beside a running engine read it from its file. */
export async function renewLocalToken(
  dataDir: string,
  tokens: { checking: Tokens; signing: () => Promise<Tokens> },
): Promise<void> {
  const known = readToken(join(dataDir, 'token'));
  if (known === undefined) return;
  try {
    await tokens.checking.authenticate(known);
  } catch (error) {
    if (!(error instanceof HatchetError) || error.code !== 'UNAUTHENTICATED') throw error;
    const { sub, server_url: serverUrl, grpc_broadcast_address: grpcBroadcastAddress } = decodeJwt(known);
    const tenantId = parseTenantId(sub ?? '');
    if (tenantId === undefined || typeof serverUrl !== 'string' || typeof grpcBroadcastAddress !== 'string') return;
    await writeLocalToken(await tokens.signing(), {
      dataDir,
      tenantId,
      addresses: { serverUrl, grpcBroadcastAddress },
    });
  }
}

async function writeLocalToken(
  tokens: Tokens,
  options: { dataDir: string; tenantId: TenantId; addresses: Addresses },
): Promise<string> {
  const path = join(options.dataDir, 'token');
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

async function stillGood(
  tokens: Tokens,
  token: string,
  options: { tenantId: TenantId; addresses: Addresses },
): Promise<boolean> {
  try {
    const identity = await tokens.authenticate(token);
    const claims = decodeJwt(token);
    return (
      identity.tenantId === options.tenantId &&
      claims['server_url'] === options.addresses.serverUrl &&
      claims['grpc_broadcast_address'] === options.addresses.grpcBroadcastAddress
    );
  } catch {
    return false;
  }
}
