import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { HatchetError } from '../../base/errors.ts';

/** AES-256-GCM by Node. A nonce is drawn at random for each text; 2^32 texts under one key would be too many, here are thousands. */
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const version = 'v1';

export interface MasterKey {
  /** Says which key it is, and nothing about it. */
  id: string;
  bytes: Buffer;
}

export function masterKey(bytes: Buffer): MasterKey {
  return { id: createHash('sha256').update('hatchet-ts master key').update(bytes).digest('hex').slice(0, 16), bytes };
}

/**
 * Seals secrets on their way to the database: `v1:<key id>:<base64url of nonce, text, tag>`. Each is bound to its row, so that
 * one cannot be put into the place of another.
 */
export class Sealer {
  readonly #keys: readonly [MasterKey, ...MasterKey[]];

  /** @param keys the first seals; the others, from before an exchange, only open */
  constructor(keys: readonly [MasterKey, ...MasterKey[]]) {
    this.#keys = keys;
  }

  get currentId(): string {
    return this.#keys[0].id;
  }

  knows(keyId: string): boolean {
    return this.#keys.some((key) => key.id === keyId);
  }

  /** @param row what it is bound to, such as `webhook <id>` */
  seal(text: string, row: string): string {
    const [key] = this.#keys;
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, key.bytes, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(row));
    const sealed = Buffer.concat([nonce, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()]);
    return `${version}:${key.id}:${sealed.toString('base64url')}`;
  }

  /** @throws HatchetError SECRET_KEY_WRONG for a text of another key, of another row, or that was changed */
  open(sealed: string, row: string): string {
    const [form, keyId, data] = sealed.split(':');
    const key = this.#keys.find((each) => each.id === keyId);
    if (form !== version || key === undefined || data === undefined) throw wrongKey([keyId ?? '?'], this.currentId);
    const bytes = Buffer.from(data, 'base64url');
    try {
      // The last character has bits to spare: only one form of a text is good.
      if (bytes.toString('base64url') !== data) throw new Error('it is not base64url');
      const opening = createDecipheriv(cipher, key.bytes, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(row))
        .setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]).toString('utf8');
    } catch (cause) {
      throw new HatchetError('SECRET_KEY_WRONG', `the sealed secret of ${row} was changed in the database`, {
        cause,
        remedy: 'Restore the row from a backup, or delete it and make it anew.',
      });
    }
  }
}

/** @param ownId undefined where there is no key at all */
export function wrongKey(foreignIds: readonly string[], ownId: string | undefined): HatchetError {
  const own = ownId === undefined ? 'this engine has no key' : `this engine’s key is ${ownId}`;
  return new HatchetError(
    'SECRET_KEY_WRONG',
    `the secrets in this database are sealed under the key ${foreignIds.join(', ')}, and ${own}`,
    {
      details: { keys: foreignIds.join(',') },
      remedy:
        'Give the key of the engine that made them (its secret.key, by --secret-key-file or HATCHET_ENGINE_SECRET_KEY); if it is lost, `hatchet keys reset` deletes what it sealed.',
    },
  );
}
