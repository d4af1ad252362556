/** What `Hatchet.init()` reads. */
export interface ClientEnvironment {
  HATCHET_CLIENT_TOKEN: string;
  HATCHET_CLIENT_HOST_PORT: string;
  HATCHET_CLIENT_API_URL: string;
  HATCHET_CLIENT_TLS_STRATEGY: string;
}

/** Points clients that are made from here on at a test engine. @returns puts back what was there, unless a later engine has taken over */
export function setEnvironment(values: ClientEnvironment): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    if (process.env['HATCHET_CLIENT_TOKEN'] !== values.HATCHET_CLIENT_TOKEN) return;
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
