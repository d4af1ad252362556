import { readStatuses, readTimeOrAge, RefusedValue } from '../input/read-values.ts';
import type { RunFilter, RunRow } from './run-reader.ts';
import type { RunStatusName } from '../status-name.ts';

/** Which runs: `status:failed workflow:email since:1h key:value text`. */
export interface RunQuery {
  statuses: readonly RunStatusName[];
  workflows: readonly string[];
  since: Date | undefined;
  until: Date | undefined;
  metadata: Readonly<Record<string, string>>;
  /** Part of a run id or of a workflow's name; empty for any. */
  search: string;
  /** Words that mean nothing, and are left out. */
  problem: string | undefined;
}

/**
 * Words: `status:`, `workflow:` (several with commas), `since:` and `until:` (a time or an age), any other `key:value` for
 * metadata; what has no colon is searched for in ids and workflows' names. Quotes keep spaces: `customer:"A B"`.
 */
export function parseRunQuery(text: string): RunQuery {
  const statuses: RunStatusName[] = [];
  const workflows: string[] = [];
  const metadata: Record<string, string> = {};
  const searched: string[] = [];
  let since: Date | undefined;
  let until: Date | undefined;
  let problem: string | undefined;
  for (const [, key, quoted, plain] of text.matchAll(/(?:([^\s:"]+):)?(?:"([^"]*)"?|(\S+))/g)) {
    const value = quoted ?? plain ?? '';
    try {
      switch (key) {
        case undefined:
          searched.push(value);
          break;
        case 'status':
          statuses.push(...readStatuses(value));
          break;
        case 'workflow':
          workflows.push(...value.split(',').filter((name) => name !== ''));
          break;
        case 'since':
          since = readTimeOrAge(value);
          break;
        case 'until':
          until = readTimeOrAge(value);
          break;
        default:
          metadata[key] = value;
      }
    } catch (error) {
      if (!(error instanceof RefusedValue)) throw error;
      problem = `${key}:${value} means nothing. ${error.message}`;
    }
  }
  return { statuses, workflows, since, until, metadata, problem, search: searched.join(' ') };
}

export function queryFilter({ statuses, workflows, since, until, metadata, search }: RunQuery): RunFilter {
  return {
    ...(statuses.length === 0 ? {} : { statuses }),
    ...(workflows.length === 0 ? {} : { workflows }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(search === '' ? {} : { search }),
  };
}

/** As the engine would say it, of a run whose metadata is known. */
export function fitsQuery(query: RunQuery, run: RunRow): boolean {
  const created = run.createdAt === null ? 0 : Date.parse(run.createdAt);
  if (query.statuses.length > 0 && !query.statuses.includes(run.status)) return false;
  if (query.workflows.length > 0 && !query.workflows.includes(run.workflow)) return false;
  if (query.since !== undefined && created < query.since.getTime()) return false;
  if (query.until !== undefined && created >= query.until.getTime()) return false;
  const search = query.search.toLowerCase();
  if (search !== '' && !run.workflow.toLowerCase().includes(search) && !run.runId.includes(search)) return false;
  const own = new Map<string, unknown>(
    typeof run.metadata === 'object' && run.metadata !== null ? Object.entries(run.metadata) : [],
  );
  return Object.entries(query.metadata).every(([key, value]) => own.get(key) === value);
}
