import { AggregatorRegistry, type PrometheusContentType } from 'prom-client';
import { catalogue, type LabelOf, type MetricName } from './catalogue.ts';
import type { DurationHistogram } from './duration-histogram.ts';

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** The readings of one scrape. Values that are set twice for the same labels are added up; the text is prom-client's. */
export class Sheet {
  readonly #values = new Map<MetricName, Value[]>();

  set<Name extends MetricName>(name: Name, labels: Readonly<Record<LabelOf<Name>, string>>, value: number): void {
    this.#of(name).push({ labels, value });
  }

  histogram<Name extends MetricName>(
    name: Name,
    labels: Readonly<Record<LabelOf<Name>, string>>,
    histogram: DurationHistogram,
  ): void {
    const values = this.#of(name);
    const metricName = `${name}_bucket`;
    for (const [le, value] of histogram.upTo()) values.push({ metricName, labels: { ...labels, le }, value });
    values.push({ metricName, labels: { ...labels, le: '+Inf' }, value: histogram.count });
    values.push({ metricName: `${name}_sum`, labels, value: histogram.sum });
    values.push({ metricName: `${name}_count`, labels, value: histogram.count });
  }

  /** In Prometheus's text format. */
  text(): Promise<string> {
    const metrics = [...this.#values].map(([name, values]) => {
      const { type, help } = catalogue[name];
      return { name, type, help, values, aggregator: 'sum' };
    });
    return AggregatorRegistry.aggregate<PrometheusContentType>([metrics]).metrics();
  }

  #of(name: MetricName): Value[] {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const values: Value[] = [];
    this.#values.set(name, values);
    return values;
  }
}
