import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { AssignedTask } from '../../link/assigned-task.ts';
import { errorMessages, parseActionPayload, recordOf, type ActionPayload } from '../context/action-payload.ts';

const nothing: Readonly<Record<string, never>> = {};

/** What a started task is told. By a session most are told of their input alone. @throws SyntaxError for a text that is not JSON */
export function attemptPayload(action: AssignedAction): ActionPayload {
  if (!(action instanceof AssignedTask)) return parseActionPayload(action.actionPayload);
  const { parents, triggers, errors } = action.told ?? {};
  const input: unknown = JSON.parse(action.input);
  return {
    input: input ?? {},
    parents: objectOf(parents),
    triggers: objectOf(triggers),
    triggeredBy: 'manual',
    userData: nothing,
    errors: errors === undefined || errors === '' ? nothing : errorMessages(objectOf(errors)),
  };
}

function objectOf(json: string | undefined): Readonly<Record<string, unknown>> {
  return json === undefined || json === '' ? nothing : recordOf(JSON.parse(json));
}
