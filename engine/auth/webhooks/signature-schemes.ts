import { signatureAmong } from './compare-hmac.ts';
import { secondsHeader, staleTime } from './signed-time.ts';
import type { HmacAuth, WebhookSource } from './webhook.ts';

/** By lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** What a body says of its sender: why it is refused, or what it is signed with, in one spelling. */
export type BodyVerdict = { refused: string } | { signature: string | undefined };

/** What the headers say of the sender: why it is refused, or what is left to ask the body. */
export type HeadersVerdict = { refused: string } | { check: (body: Buffer) => BodyVerdict };

/** What the headers claim to be signed: everything that can be known before the body is read. */
interface Claim {
  signatures: readonly string[];
  /** What is signed before the body. */
  prefix: string;
  key: string | Buffer;
  /** What is wrong with a body whose signature is right. */
  late?: (body: Buffer) => string | undefined;
}

interface Signed {
  headers: Headers;
  auth: HmacAuth;
  /** What the header of the signature holds. */
  signature: string;
  nowMs: number;
}

type Read = (request: Signed) => { refused: string } | Claim;

/** Characters of a signature's header, an id's or a time's: eight signatures of SHA512 are shorter. */
const longestHeader = 2048;
/** Signatures of one request: senders add one for each secret that is in force. */
const mostSignatures = 8;

const wrong = 'its signature is not valid';

/** The body alone: GitHub's, under its older header too, and that of senders of one's own. */
const readPlain = ({ signature, auth }: Signed): Claim => ({
  signatures: [signature],
  prefix: '',
  key: auth.signingSecret,
});

/** `t=1492774577,v1=5257a8…,v1=6ffbb5…`: the time, and a signature for each secret that is in force. */
const readStripe: Read = ({ signature, auth, nowMs }) => {
  const parts = signature.split(',').map((part) => part.trim());
  const time = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
  const stale = staleTime(secondsHeader(time), nowMs);
  if (stale !== undefined) return { refused: stale };
  return {
    signatures: parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3)),
    prefix: `${time}.`,
    key: auth.signingSecret,
  };
};

/** `v0=…` over `v0:<time>:<body>`, with the time in a header of its own. */
const readSlack: Read = ({ signature, headers, auth, nowMs }) => {
  const time = headers['x-slack-request-timestamp'] ?? '';
  const stale = staleTime(secondsHeader(time), nowMs);
  if (stale !== undefined) return { refused: stale };
  return {
    signatures: signature.startsWith('v0=') ? [signature.slice(3)] : [],
    prefix: `v0:${time}:`,
    key: auth.signingSecret,
  };
};

/** The time is in the body, in milliseconds: read only once it is known who wrote it. */
const readLinear: Read = (request) => ({
  ...readPlain(request),
  late: (body) => staleTime(linearTime(body), request.nowMs),
});

function linearTime(body: Buffer): number {
  try {
    const value: unknown = JSON.parse(body.toString());
    const time: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'webhookTimestamp') : undefined;
    return typeof time === 'number' ? time : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** Standard Webhooks, of which Svix is the origin; its own headers start with `svix-`. `v1,… v1,…` over `<id>.<time>.<body>`. */
const readSvix: Read = ({ headers, signature, auth, nowMs }) => {
  const id = svixId(headers);
  const time = headers['svix-timestamp'] ?? headers['webhook-timestamp'] ?? '';
  const stale = staleTime(secondsHeader(time), nowMs);
  if (stale !== undefined) return { refused: stale };
  if (id === '' || id.length > longestHeader) return { refused: 'its id is missing or too long' };
  const signatures = signature.split(' ').flatMap((part) => (part.startsWith('v1,') ? [part.slice(3)] : []));
  return {
    signatures,
    prefix: `${id}.${Number(time)}.`,
    key: Buffer.from(auth.signingSecret.replace(/^whsec_/, ''), 'base64'),
  };
};

export function svixId(headers: Headers): string {
  return headers['svix-id'] ?? headers['webhook-id'] ?? '';
}

const readers: Record<WebhookSource, Read> = {
  GENERIC: readPlain,
  GITHUB: readPlain,
  STRIPE: readStripe,
  SLACK: readSlack,
  LINEAR: readLinear,
  SVIX: readSvix,
};

/** The signature's header and the signed time are looked at before anything is computed; then one HMAC over the body. */
export function checkSignature(source: WebhookSource, request: Omit<Signed, 'signature'>): HeadersVerdict {
  const { auth, headers } = request;
  const name = auth.signatureHeaderName.toLowerCase();
  const signature = headers[name] ?? '';
  if (signature === '') return { refused: `the header ${name} is missing` };
  if (signature.length > longestHeader)
    return { refused: `the header ${name} has ${signature.length} characters; a signature has up to ${longestHeader}` };
  const claim = readers[source]({ ...request, signature });
  if ('refused' in claim) return claim;
  const signatures = claim.signatures.slice(0, mostSignatures);
  if (signatures.length === 0) return { refused: wrong };
  return {
    check: (body) => {
      const found = signatureAmong(signatures, { parts: [claim.prefix, body], key: claim.key, auth });
      if (found === undefined) return { refused: wrong };
      const late = claim.late?.(body);
      return late === undefined ? { signature: found } : { refused: late };
    },
  };
}
