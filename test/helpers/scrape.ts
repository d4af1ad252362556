import parse, { type Family, type Sample } from 'parse-prometheus-text-format';

/**
 * The answer of `GET /metrics`, as Prometheus's format is read by another's parser. That merges the series of a histogram whatever
 * their labels, so it is given histograms without their type: as the `_bucket`, `_sum` and `_count` that Prometheus stores.
 */
export class Scrape {
  readonly text: string;
  readonly families: readonly Family[];

  constructor(text: string) {
    this.text = text;
    this.families = parse(text.replaceAll(/^# TYPE \S+ histogram$\n/gm, ''));
  }

  static async of(url: string, token?: string): Promise<Scrape> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return new Scrape(await response.text());
  }

  /** Of all series, as queries name them. */
  get names(): string[] {
    return this.families.flatMap(({ name, metrics }) => (metrics.length === 0 ? [] : [name]));
  }

  samples(name: string, labels: Record<string, string> = {}): Sample[] {
    const all = this.families.flatMap((family) => (family.name === name ? family.metrics : []));
    return all.filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels?.[key] === value));
  }

  /** Of the one series with these labels; undefined where there is none. */
  value(name: string, labels: Record<string, string> = {}): number | undefined {
    const [sample, another] = this.samples(name, labels);
    if (another !== undefined) throw new Error(`${name} has several series with ${JSON.stringify(labels)}`);
    return sample?.value === undefined ? undefined : Number(sample.value);
  }
}
