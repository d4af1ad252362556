import { toldMessage } from '../failure/parse-failure.ts';

/** What a started task is told, read from `AssignedAction.action_payload`. */
export interface ActionPayload {
  readonly input: unknown;
  /** Outputs by the parents' names. */
  readonly parents: Readonly<Record<string, unknown>>;
  /** Data of the conditions that were met, by their readable keys. */
  readonly triggers: Readonly<Record<string, unknown>>;
  readonly triggeredBy: string;
  readonly userData: unknown;
  /** Messages by the failed tasks' names, for an on-failure task. */
  readonly errors: Readonly<Record<string, string>>;
}

/** @throws SyntaxError for a text that is not JSON */
export function parseActionPayload(text: string): ActionPayload {
  const payload: unknown = JSON.parse(text === '' ? '{}' : text);
  const field = (name: string): unknown => (isRecord(payload) ? payload[name] : undefined);
  const triggeredBy = field('triggered_by');
  return {
    input: field('input') ?? {},
    parents: recordOf(field('parents')),
    triggers: recordOf(field('triggers')),
    triggeredBy: typeof triggeredBy === 'string' ? triggeredBy : 'manual',
    userData: field('user_data'),
    errors: errorMessages(recordOf(field('step_run_errors'))),
  };
}

/** As the payload has them: texts that tell a failure, or JSON. */
export function errorMessages(errors: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([name, error]) => [
      name,
      toldMessage(typeof error === 'string' ? error : JSON.stringify(error)),
    ]),
  );
}

/** Metadata travels as a JSON object of texts; other values are written as JSON. */
export function parseMetadata(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {};
  try {
    const metadata: unknown = JSON.parse(text);
    return Object.fromEntries(
      Object.entries(recordOf(metadata)).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    );
  } catch {
    return {};
  }
}

export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
