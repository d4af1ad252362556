import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { catalogue } from '../../../engine/metrics/catalogue.ts';
import { deployedQueries } from '../../helpers/deployed-queries.ts';
import { metricsOf } from '../../helpers/promql.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the guide to metrics', () => {
  it('has each metric as the engine has it', () => {
    const rows = Object.entries(catalogue).map(([name, { type, labels, help }]) => {
      const own = labels.map((label) => `\`${label}\``).join(', ') || '–';
      return `| \`${name}\` | ${type} | ${own} | ${help} |`;
    });
    const table = read('docs/guides/observability.md')
      .split('\n')
      .filter((line) => line.startsWith('| `hatchet_'));
    expect(table).toEqual(rows);
  });
});

describe('queries of the dashboard, the alerts and the autoscaler', () => {
  it('are PromQL', () => {
    for (const [file, queries] of Object.entries(deployedQueries)) {
      expect(queries.length, file).toBeGreaterThan(0);
      for (const query of queries) expect(metricsOf(query), query).not.toEqual([]);
    }
  });

  it('refuse what is none', () => {
    expect(() => metricsOf('sum(rate(hatchet_transactions_total[5m])')).toThrow('no PromQL');
    expect(metricsOf('a{b="c"} / sum by (d) (rate(e[5m]))')).toEqual(['a', 'e']);
  });
});

describe('the dashboard', () => {
  const dashboard: {
    schemaVersion: number;
    panels: { id: number; gridPos: { x: number; w: number }; datasource?: { uid: string } }[];
    templating: { list: { name: string; type: string }[] };
  } = JSON.parse(read('deploy/grafana/hatchet-ts.json'));

  it('asks for its data source, and shows nothing of another', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { datasource } of dashboard.panels)
      if (datasource !== undefined) expect(datasource.uid).toBe('${datasource}');
  });

  it('has panels that stand beside each other', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

describe('what Prometheus and KEDA are given', () => {
  it('names the rules, and rules say what to do', () => {
    expect(parse(read('deploy/prometheus/prometheus.yml'))).toMatchObject({ rule_files: ['hatchet-ts.rules.yml'] });
    const { groups } = parse(read('deploy/prometheus/hatchet-ts.rules.yml'));
    for (const rule of groups[0].rules)
      expect(rule).toMatchObject({ annotations: { summary: expect.any(String), description: expect.any(String) } });
  });

  it('is a ScaledObject with Prometheus’s scaler', () => {
    expect(parse(read('deploy/kubernetes/keda/scaled-object.yaml'))).toMatchObject({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      spec: { triggers: [{ type: 'prometheus', metadata: { threshold: '20' } }] },
    });
  });
});
