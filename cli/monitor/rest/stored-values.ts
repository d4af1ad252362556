import { isRecord } from '../../project/json-value.ts';

/**
 * What a run was started with. A cluster keeps the input of a run of one task together with what else its worker is sent;
 * our engine keeps it as it came.
 */
export function inputOf(stored: unknown): unknown {
  if (!isRecord(stored)) return stored ?? null;
  const isEnvelope = 'input' in stored && 'triggered_by' in stored && 'parents' in stored && 'triggers' in stored;
  return isEnvelope ? stored['input'] : stored;
}

/** Workers of all SDKs report a failure as JSON with its message and stack; what the engine itself says is plain text. */
export function failureOf(text: string | undefined): { message: string | null; stack: string | null } {
  if (text === undefined || text === '') return { message: null, stack: null };
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed) && typeof parsed['message'] === 'string') return { message: parsed['message'], stack: typeof parsed['stack'] === 'string' ? parsed['stack'] : null };
    if (typeof parsed === 'string') return { message: parsed, stack: null };
  } catch {
    // Plain text is a message as it is.
  }
  return { message: text, stack: null };
}

/** A cluster writes the year 1 for a time that it does not know. */
export function timeOf(text: string | undefined): string | null {
  if (text === undefined || text === '' || text.startsWith('0001-')) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Since 1970: our engine tells milliseconds, a cluster microseconds. */
export function microseconds(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return Math.floor(Date.parse(time) / 1000) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** `name-1795946199168` is the name with the time in milliseconds. */
export function nameOf(displayName: string): string {
  return displayName.replace(/-\d{10,}$/, '');
}
