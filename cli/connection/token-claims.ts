import { isRecord } from '../project/json-value.ts';

/** What a token says about itself. Read unverified: only the engine can check it. */
export interface TokenClaims {
  tenantId: string | undefined;
  /** `host:port`. */
  grpcAddress: string | undefined;
  serverUrl: string | undefined;
  expiresAt: Date | undefined;
}

/** @returns nothing for text that is no JWT */
export function tokenClaims(token: string): TokenClaims | undefined {
  const [, body] = token.split('.');
  if (body === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    if (!isRecord(claims)) return undefined;
    const text = (name: string): string | undefined => {
      const value = claims[name];
      return typeof value === 'string' ? value : undefined;
    };
    const { exp } = claims;
    return {
      tenantId: text('sub'),
      grpcAddress: text('grpc_broadcast_address'),
      serverUrl: text('server_url'),
      expiresAt: typeof exp === 'number' ? new Date(exp * 1000) : undefined,
    };
  } catch {
    return undefined;
  }
}
