import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from './engine-process.ts';

/** Values of a field, wherever in a file they are. */
function valuesOf(value: unknown, field: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, of]) =>
    key === field && typeof of === 'string' ? [of] : valuesOf(of, field),
  );
}

const read = (name: string): string => readFileSync(join(packageRoot, 'deploy', name), 'utf8');

/** By file, the queries that it has Prometheus answer. */
export const deployedQueries: Readonly<Record<string, readonly string[]>> = {
  dashboard: valuesOf(JSON.parse(read('grafana/hatchet-ts.json')), 'expr'),
  // Grafana's own functions, around what they ask for.
  variables: valuesOf(JSON.parse(read('grafana/hatchet-ts.json')), 'definition').map((text) =>
    text.replace(/^label_values\((.*), \w+\)$/, '$1'),
  ),
  alerts: valuesOf(parse(read('prometheus/hatchet-ts.rules.yml')), 'expr'),
  keda: valuesOf(parse(read('kubernetes/keda/scaled-object.yaml')), 'query'),
};
