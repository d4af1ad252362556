import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HmacAlgorithm, HmacAuth, HmacEncoding } from './webhook.ts';

const hashes: Record<HmacAlgorithm, string> = { SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512', MD5: 'md5' };
const encodings: Record<HmacEncoding, 'hex' | 'base64' | 'base64url'> = {
  HEX: 'hex',
  BASE64: 'base64',
  BASE64URL: 'base64url',
};

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Case does not matter in hex, nor padding in base64. */
function plain(signature: string, encoding: HmacEncoding): string {
  return encoding === 'HEX' ? signature.toLowerCase() : signature.replace(/={1,3}$/, '');
}

/**
 * The signature of the parts, one after the other, where it is among those that were given. It is computed once, however
 * many there are. A leading name of the hash, as in `sha256=…`, is allowed.
 */
export function signatureAmong(
  given: readonly string[],
  options: {
    parts: readonly (string | Buffer)[];
    key: string | Buffer;
    auth: Pick<HmacAuth, 'algorithm' | 'encoding'>;
  },
): string | undefined {
  const { parts, key, auth } = options;
  const hash = hashes[auth.algorithm];
  const hmac = createHmac(hash, key);
  for (const part of parts) hmac.update(part);
  const expected = plain(hmac.digest(encodings[auth.encoding]), auth.encoding);
  const found = given.filter((each) => {
    const bare = each.trim();
    return sameText(plain(bare.startsWith(`${hash}=`) ? bare.slice(hash.length + 1) : bare, auth.encoding), expected);
  });
  return found.length > 0 ? expected : undefined;
}
