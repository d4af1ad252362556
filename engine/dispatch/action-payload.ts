/** What a started task is told besides its ids: JSON texts, which are passed through as they are. */
export interface ActionParts {
  readonly input: string;
  /** JSON objects: outputs of the parents and errors of the failed tasks by their steps' names, and what met the conditions. */
  readonly parents: string;
  readonly errors: string;
  readonly triggers: string;
}

/** JSON texts by step name, as a JSON object. */
export function byName(entries: readonly { name: string; json: string }[]): string {
  if (entries.length === 0) return '{}';
  return `{${entries.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

/** A parent's output must not be falsy: SDKs take `null` for "no such parent". */
export function parentOutput(json: string): string {
  return json === 'null' || json === 'false' || json === '0' || json === '""' ? '{}' : json;
}

/** The `action_payload` of a started task. */
export function actionPayload({ input, parents, triggers, errors }: ActionParts): string {
  return `{"input":${input},"triggered_by":"manual","parents":${parents},"triggers":${triggers},"user_data":{},"overrides":{},"step_run_errors":${errors}}`;
}

/** The filter's payload stands beside what met the conditions. */
export function withFilterPayload(triggers: string, filterPayload: string | null): string {
  if (filterPayload === null) return triggers;
  return `${triggers.slice(0, -1)}${triggers === '{}' ? '' : ','}"filter_payload":${filterPayload}}`;
}
