/** What a client reads in its token. It is read unverified: only the engine can verify. */
export interface TokenClaims {
  tenantId: string | undefined;
  /** `host:port` of the gRPC endpoint, without a scheme. */
  hostPort: string | undefined;
  /** Base URL of the REST API. */
  apiUrl: string | undefined;
}

/** The claims of a JWT, or `undefined` for a text that is none. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const [, payload, , ...more] = token.split('.');
  if (payload === undefined || more.length > 0) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof claims !== 'object' || claims === null) return undefined;
  return {
    tenantId: text(claims, 'sub'),
    hostPort: text(claims, 'grpc_broadcast_address'),
    apiUrl: text(claims, 'server_url'),
  };
}

function text(claims: object, name: string): string | undefined {
  const value: unknown = Reflect.get(claims, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
