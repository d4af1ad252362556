import { useMemo } from 'react';
import type { WorkflowRow } from '../../cli/monitor/run-reader.ts';
import { useFigures } from './figures.tsx';
import type { EngineCalls } from '../data/engine-calls.ts';
import { list, optional } from '../data/fields.ts';
import { workflowRow } from '../data/figure-messages.ts';
import { useAnswer, type Answer } from './use-answer.ts';

/** More than a menu can hold. */
const mostPages = 5;

async function listWorkflows(calls: EngineCalls, signal: AbortSignal): Promise<readonly WorkflowRow[]> {
  const rows: WorkflowRow[] = [];
  let page: string | undefined;
  for (let turn = 0; turn < mostPages; turn++) {
    const answer = await calls.monitor('ListWorkflows', { limit: 1000, pageToken: page }, signal);
    rows.push(...list(answer, 'rows', workflowRow));
    page = optional(answer, 'next') ?? undefined;
    if (page === undefined) break;
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By name; read again when one is registered, paused or resumed. */
export function useWorkflows(): Answer<readonly WorkflowRow[]> {
  const { overview } = useFigures();
  return useAnswer('workflows', listWorkflows, { version: overview?.workflowsRevision });
}

export function useWorkflowNames(): readonly string[] {
  const { value } = useWorkflows();
  return useMemo(() => (value ?? []).map(({ name }) => name), [value]);
}
