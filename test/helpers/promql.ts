import { parser } from '@prometheus-io/lezer-promql';

/** Names of metrics that a query reads. @throws Error for what is no PromQL */
export function metricsOf(query: string): string[] {
  // Grafana's own variables, as it fills them in.
  const text = query.replaceAll('$__rate_interval', '5m');
  const names: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`no PromQL at ${text.slice(from, from + 20)}: ${text}`);
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') names.push(text.slice(from, to));
    },
  });
  return names;
}
