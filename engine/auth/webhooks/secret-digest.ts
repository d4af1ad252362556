import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A secret that is only ever compared: salted, so that equal ones don't look equal. */
export interface SecretDigest {
  /** Base64. */
  salt: string;
  /** Base64 of HMAC-SHA256 under the salt. */
  hash: string;
}

function hashOf(secret: string, salt: string): Buffer {
  return createHmac('sha256', Buffer.from(salt, 'base64')).update(secret).digest();
}

export function digestSecret(secret: string): SecretDigest {
  const salt = randomBytes(16).toString('base64');
  return { salt, hash: hashOf(secret, salt).toString('base64') };
}

export function matchesDigest(given: string, digest: SecretDigest): boolean {
  const expected = Buffer.from(digest.hash, 'base64');
  const actual = hashOf(given, digest.salt);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
