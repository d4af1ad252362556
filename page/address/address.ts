/** Which view an address shows, and what of it. */
export type Route =
  | { view: 'runs' }
  | { view: 'run'; runId: string; tab: RunTab }
  | { view: 'workflows' }
  | { view: 'workflow'; name: string }
  | { view: 'workers' }
  | { view: 'queues' }
  | { view: 'schedules' }
  | { view: 'events' }
  | { view: 'webhooks' }
  | { view: 'dead-letters' }
  | { view: 'audit' }
  | { view: 'unknown' };

export const runTabs = ['graph', 'timeline', 'logs', 'events', 'durable', 'data', 'trace', 'why'] as const;
export type RunTab = (typeof runTabs)[number];

const lists = [
  'runs',
  'workflows',
  'workers',
  'queues',
  'schedules',
  'events',
  'webhooks',
  'dead-letters',
  'audit',
] as const;

export function routeOf(path: string): Route {
  const [first = '', second, third, ...more] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  if (more.length > 0) return { view: 'unknown' };
  if (first === '') return { view: 'runs' };
  if (first === 'runs' && second !== undefined) return runRoute(second, third);
  if (third !== undefined) return { view: 'unknown' };
  if (first === 'workflows' && second !== undefined) return { view: 'workflow', name: second };
  const list = lists.find((name) => name === first);
  return list === undefined || second !== undefined ? { view: 'unknown' } : { view: list };
}

function runRoute(runId: string, tab: string | undefined): Route {
  const known = tab === undefined ? 'graph' : runTabs.find((name) => name === tab);
  return known === undefined ? { view: 'unknown' } : { view: 'run', runId, tab: known };
}

/** A part of a path that is no percent-encoding stays as it was typed. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function runHref(runId: string, tab?: RunTab, query: Readonly<Record<string, string | undefined>> = {}): string {
  const path = `/runs/${encodeURIComponent(runId)}${tab === undefined || tab === 'graph' ? '' : `/${tab}`}`;
  return hrefOf(path, query);
}

export function workflowHref(name: string): string {
  return `/workflows/${encodeURIComponent(name)}`;
}

/** The runs of a filter, as the filter box has it. */
export function runsHref(filter: string): string {
  return hrefOf('/runs', { q: filter === '' ? undefined : filter });
}

/** What is undefined is left out. */
export function hrefOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

/** A value of the filter language: in quotes where it has spaces. */
export function filterWord(key: string, value: string): string {
  return /[\s"]/.test(value) ? `${key}:"${value.replaceAll('"', '')}"` : `${key}:${value}`;
}
