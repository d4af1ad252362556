import type { RunRow } from '../../cli/monitor/run-reader.ts';

/** Failed runs of one workflow whose errors say the same. */
export interface ErrorGroup {
  key: string;
  workflow: string;
  /** The first line, with numbers and ids replaced. */
  pattern: string;
  /** Newest first. */
  runs: readonly RunRow[];
}

const replacements: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<id>'],
  [/\b0x[0-9a-f]+\b/gi, '<id>'],
  [/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>'],
  // Hexadecimal digests and the like: letters and digits mixed.
  [/\b(?=[0-9a-z]*\d)(?=[0-9a-z]*[a-z])[0-9a-z]{12,}\b/gi, '<id>'],
  [/\d+(?:[.,]\d+)*/g, '<n>'],
];

/** What an error says without what differs from run to run. */
export function errorPattern(message: string | null): string {
  const [first = ''] = (message ?? '').trim().split('\n');
  const pattern = replacements.reduce((text, [from, to]) => text.replaceAll(from, to), first.trim()).slice(0, 300);
  return pattern === '' ? 'no message' : pattern;
}

/** Those with most runs first. @param rows newest first */
export function errorGroups(rows: readonly RunRow[]): readonly ErrorGroup[] {
  const groups = new Map<string, { workflow: string; pattern: string; runs: RunRow[] }>();
  for (const run of rows) {
    const pattern = errorPattern(run.errorMessage);
    const key = `${run.workflow}\n${pattern}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { workflow: run.workflow, pattern, runs: [run] });
    else group.runs.push(run);
  }
  return [...groups]
    .map(([key, group]) => ({ key, ...group }))
    .sort((a, b) => b.runs.length - a.runs.length || (a.key < b.key ? -1 : 1));
}
