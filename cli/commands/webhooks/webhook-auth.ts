import type { WebhookAuth, WebhookHmacAuth, WebhookSource } from '../../../sdk/index.ts';
import { wrongUse } from '../../cli-error.ts';

export const webhookSources = [
  'GENERIC',
  'GITHUB',
  'STRIPE',
  'SLACK',
  'LINEAR',
  'SVIX',
] as const satisfies readonly WebhookSource[];
export const authKinds = ['hmac', 'basic', 'api-key'] as const;
export type AuthKind = (typeof authKinds)[number];
export const hmacAlgorithms = [
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
] as const satisfies readonly WebhookHmacAuth['algorithm'][];
export const hmacEncodings = ['HEX', 'BASE64', 'BASE64URL'] as const satisfies readonly WebhookHmacAuth['encoding'][];

export interface AuthFlags {
  auth: AuthKind;
  username?: string;
  header?: string;
  algorithm?: WebhookHmacAuth['algorithm'];
  encoding?: WebhookHmacAuth['encoding'];
}

/** What the sources sign with, as they document it. A generic sender names its header. */
const signatures: Readonly<
  Record<
    WebhookSource,
    Omit<WebhookHmacAuth, 'signingSecret' | 'signatureHeaderName'> & { signatureHeaderName?: string }
  >
> = {
  GENERIC: { algorithm: 'SHA256', encoding: 'HEX' },
  GITHUB: { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'X-Hub-Signature-256' },
  STRIPE: { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'Stripe-Signature' },
  SLACK: { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'X-Slack-Signature' },
  LINEAR: { algorithm: 'SHA256', encoding: 'HEX', signatureHeaderName: 'Linear-Signature' },
  SVIX: { algorithm: 'SHA256', encoding: 'BASE64', signatureHeaderName: 'svix-signature' },
};

/** What the secret of each kind is called where the sender is set up. */
export const secretNames: Readonly<Record<AuthKind, string>> = {
  hmac: 'signing secret',
  basic: 'password',
  'api-key': 'API key',
};

/** How requests of a webhook are checked, but for its secret: mistakes in the flags are found before anybody is asked for it. @throws CliError with exit code 2 */
export function webhookAuth(source: WebhookSource, flags: AuthFlags): (secret: string) => WebhookAuth {
  const { auth, username, header, algorithm, encoding } = flags;
  const unused = (kind: AuthKind, given: Readonly<Record<string, string | undefined>>): void => {
    const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined)
      throw wrongUse(`--${name} means nothing with --auth ${kind}`, 'Leave it out, or choose another --auth.');
  };
  if (auth === 'basic') {
    unused(auth, { header, algorithm, encoding });
    if (username === undefined) throw wrongUse('--auth basic needs a user name', 'Give it with --username.');
    return (password) => ({ username, password });
  }
  if (auth === 'api-key') {
    unused(auth, { username, algorithm, encoding });
    if (header === undefined)
      throw wrongUse('--auth api-key needs the name of a header', 'Give it with --header, such as --header X-Api-Key.');
    return (apiKey) => ({ headerName: header, apiKey });
  }
  unused(auth, { username });
  const usual = signatures[source];
  const signatureHeaderName = header ?? usual.signatureHeaderName;
  if (signatureHeaderName === undefined)
    throw wrongUse(
      `a signature of source ${source} can be in any header`,
      'Name it with --header, such as --header X-Signature.',
    );
  return (signingSecret) => ({
    algorithm: algorithm ?? usual.algorithm,
    encoding: encoding ?? usual.encoding,
    signatureHeaderName,
    signingSecret,
  });
}
