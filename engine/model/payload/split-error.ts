/** The message and the stack of a raw failed payload. */
export function splitError(error: string | null): { message: string | undefined; stack: string | undefined } {
  if (error === null) return { message: undefined, stack: undefined };
  try {
    const parsed: unknown = JSON.parse(error);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string') {
      return {
        message: parsed.message,
        stack: 'stack' in parsed && typeof parsed.stack === 'string' ? parsed.stack : undefined,
      };
    }
    if (typeof parsed === 'string') return { message: parsed, stack: undefined };
  } catch {
    // Plain text is a message as it is.
  }
  return { message: error, stack: undefined };
}

/** As it is told to SDKs: what a worker reported stays as it came, what the engine has to say itself is plain text. */
export function toldError(error: string): string {
  const prefix = '{"message":';
  if (!error.startsWith(prefix)) return error;
  try {
    const parsed: unknown = JSON.parse(error);
    if (
      typeof parsed === 'object' &&
      parsed !== null &&
      Object.keys(parsed).length === 1 &&
      'message' in parsed &&
      typeof parsed.message === 'string'
    )
      return parsed.message;
  } catch {
    // A worker's own text.
  }
  return error;
}
