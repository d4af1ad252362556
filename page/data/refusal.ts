import { fieldsOf, list, text } from './fields.ts';

/** Why a call was not carried out, in a sentence for people. */
export class Refusal extends Error {
  /** Of HTTP; 0 where the engine could not be reached. */
  readonly status: number;
  /** Stable, for programs; empty where the engine gave none. */
  readonly code: string;

  constructor(message: string, options: { status: number; code?: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.code = options.code ?? '';
  }

  /** Whether the same call may succeed later. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 501);
  }
}

export function unreachable(cause: unknown): Refusal {
  return new Refusal('The engine does not answer. Check that it runs and that this machine reaches it.', {
    status: 0,
    cause,
  });
}

/** Of the body of an answer that is an error: `{errors: [{code, description}]}`, or whatever a proxy in between wrote. */
export function refusalOf(status: number, body: string): Refusal {
  const [first] = list(fieldsOf(parsed(body)), 'errors', (item) => ({
    code: text(item, 'code'),
    description: text(item, 'description'),
  }));
  if (first === undefined || first.description === '')
    return new Refusal(`The engine answered with the status ${status} and no explanation.`, { status });
  return new Refusal(sentence(first.description), { status, code: first.code });
}

/** Of a stream that has begun: `{code, description}`, without a status of HTTP. */
export function refusalOfStream(data: string): Refusal {
  const fields = fieldsOf(parsed(data));
  const code = text(fields, 'code');
  const description = text(fields, 'description');
  return new Refusal(description === '' ? 'The engine ended the stream.' : sentence(description), {
    status: statuses[code] ?? (code.startsWith('UNKNOWN_') ? 404 : 503),
    code,
  });
}

/** What trying again does not help. Any other may pass. */
const statuses: Readonly<Partial<Record<string, number>>> = {
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  INVALID_ARGUMENT: 400,
  NOT_SUPPORTED: 501,
  PAYLOAD_TOO_LARGE: 413,
};

/** The engine's descriptions begin with a small letter and end without a full stop. */
function sentence(description: string): string {
  const whole = `${description.charAt(0).toUpperCase()}${description.slice(1)}`;
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
