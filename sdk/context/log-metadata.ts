/** What goes with a log line. */
export interface LogDetails {
  /** Any value that JSON can carry. */
  extra?: unknown;
  error?: Error | undefined;
}

/** The details as JSON. A value that JSON cannot carry becomes its text: a log line never fails its task. */
export function writeMetadata({ extra, error }: LogDetails): string {
  const fields = typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? extra : extra === undefined ? {} : { extra };
  const details = error === undefined ? fields : { ...fields, error: { message: error.message, stack: error.stack } };
  try {
    return JSON.stringify(details);
  } catch {
    return JSON.stringify({ extra: String(extra) });
  }
}
