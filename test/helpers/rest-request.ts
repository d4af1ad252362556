export interface Reply {
  status: number;
  body: unknown;
}

/** Asks REST of an engine on this machine, without an SDK, which would hide what is wrong. */
export async function restRequest(
  engine: { http: { port: number } },
  path: string,
  { token, method = 'GET', body }: { token: string; method?: string; body?: unknown },
): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${engine.http.port}${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
