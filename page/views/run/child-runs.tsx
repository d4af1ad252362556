import type { ReactNode } from 'react';
import { listFiltered } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { RunList } from '../../parts/run-list.tsx';

const shownRuns = 50;
const everyMs = 4_000;

/** Runs that tasks of this one have started; nothing where there are none. */
export function ChildRuns({ runId, isOver }: { runId: string; isOver: boolean }): ReactNode {
  const { value } = useAnswer(
    `children ${runId} ${isOver}`,
    (calls, signal) => listFiltered(calls, { parent: runId, limit: shownRuns }, signal),
    isOver ? {} : { everyMs },
  );
  if (value === undefined || value.rows.length === 0) return null;
  return (
    <section className="card">
      <h2>
        Child runs {value.next === null ? null : <span className="muted small">the newest {shownRuns} of them</span>}
      </h2>
      <RunList runs={value.rows} label="Child runs" showsWorkflow />
    </section>
  );
}
