/** JSON texts by step name, as a JSON object; the texts are passed through as they are. */
function jsonObject(entries: readonly { name: string; json: string }[]): string {
  return `{${entries.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

/** A parent's output must not be falsy: SDKs take `null` for "no such parent". */
function parentOutput(json: string): string {
  return json === 'null' || json === 'false' || json === '0' || json === '""' ? '{}' : json;
}

/** The `action_payload` of a started task. */
export function actionPayload(parts: {
  input: string;
  parents: readonly { name: string; json: string }[];
  triggers: string;
  errors: readonly { name: string; json: string }[];
}): string {
  const { input, parents, triggers, errors } = parts;
  const outputs = jsonObject(parents.map(({ name, json }) => ({ name, json: parentOutput(json) })));
  return `{"input":${input},"triggered_by":"manual","parents":${outputs},"triggers":${triggers},"user_data":{},"overrides":{},"step_run_errors":${jsonObject(errors)}}`;
}

/** The filter's payload stands beside what met the conditions. */
export function withFilterPayload(triggers: string, filterPayload: string | null): string {
  if (filterPayload === null) return triggers;
  return `${triggers.slice(0, -1)}${triggers === '{}' ? '' : ','}"filter_payload":${filterPayload}}`;
}
