/** One server-sent event. */
export interface SentEvent {
  /** `message` for those that name none. */
  name: string;
  data: unknown;
}

/** Where an engine serves HTTP, and with which token it is asked. */
export interface HttpTarget {
  http: { host: string; port: number };
  token: string | undefined;
}

/** The monitoring service over HTTP, as a web page calls it. */
export class MonitorHttp {
  readonly #target: HttpTarget;

  constructor(target: HttpTarget) {
    this.#target = target;
  }

  /** @param body sent as it is where it is a text */
  async post(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const { http, token } = this.#target;
    return fetch(`http://${http.host}:${http.port}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async call(method: string, request?: unknown): Promise<{ status: number; body: unknown }> {
    const response = await this.post(`/api/v1/monitor/${method}`, request);
    const body: unknown = await response.json();
    return { status: response.status, body };
  }

  /** The events of a stream as they come. To leave the loop is to go away. @throws Error where it is refused */
  async *stream(method: string, request?: unknown): AsyncGenerator<SentEvent> {
    const leave = new AbortController();
    const response = await this.post(`/api/v1/monitor/${method}`, request, leave.signal);
    if (response.status !== 200) throw new Error(`${method} answered ${response.status}: ${await response.text()}`);
    try {
      yield* sentEvents(response);
    } finally {
      leave.abort();
    }
  }
}

async function* sentEvents({ body }: Response): AsyncGenerator<SentEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line): [string, string] => fieldOf(line)));
      const data = fields.get('data');
      if (data !== undefined) yield { name: fields.get('event') ?? 'message', data: JSON.parse(data) };
    }
  }
}

function fieldOf(line: string): [name: string, value: string] {
  const at = line.indexOf(': ');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)];
}
