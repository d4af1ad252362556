/** The message and the stack of a raw failed payload. */
export function splitError(error: string | null): { message: string | undefined; stack: string | undefined } {
  if (error === null) return { message: undefined, stack: undefined };
  try {
    const parsed: unknown = JSON.parse(error);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string') {
      return { message: parsed.message, stack: 'stack' in parsed && typeof parsed.stack === 'string' ? parsed.stack : undefined };
    }
    if (typeof parsed === 'string') return { message: parsed, stack: undefined };
  } catch {
    // Plain text is a message as it is.
  }
  return { message: error, stack: undefined };
}
