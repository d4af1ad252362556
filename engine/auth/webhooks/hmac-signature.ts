import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HmacAlgorithm, HmacAuth, HmacEncoding } from './webhook.ts';

const hashes: Record<HmacAlgorithm, string> = { SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512', MD5: 'md5' };
const encodings: Record<HmacEncoding, 'hex' | 'base64' | 'base64url'> = { HEX: 'hex', BASE64: 'base64', BASE64URL: 'base64url' };

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Case does not matter in hex, nor padding in base64. */
function plain(signature: string, encoding: HmacEncoding): string {
  return encoding === 'HEX' ? signature.toLowerCase() : signature.replace(/=+$/, '');
}

/** Whether a signature is that of the parts, one after the other. A leading name of the hash, as in `sha256=…`, is allowed. */
export function isSigned(given: string, parts: readonly (string | Buffer)[], auth: Pick<HmacAuth, 'algorithm' | 'encoding' | 'signingSecret'>): boolean {
  const hash = hashes[auth.algorithm];
  const hmac = createHmac(hash, auth.signingSecret);
  for (const part of parts) hmac.update(part);
  const bare = given.trim();
  const signature = bare.startsWith(`${hash}=`) ? bare.slice(hash.length + 1) : bare;
  return sameText(plain(signature, auth.encoding), plain(hmac.digest(encodings[auth.encoding]), auth.encoding));
}
