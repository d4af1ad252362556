import { useState, type FormEvent, type ReactNode } from 'react';
import { runOutput } from '../../../cli/monitor/run-output.ts';
import type { RunDetail } from '../../../cli/monitor/run-reader.ts';
import { jsonText } from '../../../cli/output/plain-text.ts';
import { getRun } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { jsonDiff, type Difference } from '../../model/json-diff.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { JsonView } from '../../parts/json-view.tsx';

/** What went in and what came out, and how that differs from another run. */
export function DataTab({ detail }: { detail: RunDetail }): ReactNode {
  const output = detail.tasks.some((task) => task.output !== null) ? runOutput(detail) : undefined;
  const leftOut = detail.tasks.some((task) => task.outputLeftOutBytes !== undefined);
  return (
    <div className="stack">
      <div className="columns">
        <section className="card">
          <h2>Input</h2>
          {detail.inputLeftOutBytes === undefined ? (
            <JsonView value={detail.input} name="the input" />
          ) : (
            <p className="muted">
              {detail.inputLeftOutBytes.toLocaleString('en')} bytes are too many to be shown here. Read them with{' '}
              <code>hatchet runs get {detail.run.runId} -o json</code>.
            </p>
          )}
        </section>
        <section className="card">
          <h2>Output</h2>
          {output === undefined ? (
            <p className="muted">There is none yet.</p>
          ) : (
            <JsonView value={output} name="the output" />
          )}
          {leftOut ? (
            <p className="muted">
              Outputs that were too large are not in it: choose their task in the graph to read them.
            </p>
          ) : null}
        </section>
      </div>
      <DiffWith detail={detail} />
    </div>
  );
}

function DiffWith({ detail }: { detail: RunDetail }): ReactNode {
  const [typed, setTyped] = useState('');
  const [other, setOther] = useState<string>();
  const { value, error, loading } = useAnswer(other, (calls, signal) => getRun(calls, other ?? '', signal));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setOther(typed.trim() === '' ? undefined : typed.trim());
  };
  return (
    <section className="card stack">
      <h2>Compare with another run</h2>
      <form className="row wrap" onSubmit={submit}>
        <label className="search grow">
          <span className="hidden">Id of the other run</span>
          <input
            type="text"
            className="mono"
            placeholder="Id of the other run"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <button type="submit">Compare</button>
      </form>
      {error !== undefined ? (
        <Failed error={error} />
      ) : value !== undefined ? (
        <div className="columns">
          <Differences title="Input" rows={jsonDiff(value.input, detail.input)} />
          <Differences title="Output" rows={jsonDiff(runOutput(value), runOutput(detail))} />
        </div>
      ) : loading && other !== undefined ? (
        <Skeleton lines={3} />
      ) : null}
    </section>
  );
}

const signs: Readonly<Record<Difference['kind'], string>> = { added: '+', removed: '−', changed: '≠' };

function Differences({ title, rows }: { title: string; rows: readonly Difference[] }): ReactNode {
  return (
    <div>
      <h3>{title}</h3>
      {rows.length === 0 ? (
        <Empty title="The same" />
      ) : (
        <ul className="diff plain" aria-label={`Differences of the ${title.toLowerCase()}`}>
          {rows.map((row) => (
            <li key={row.path} className={row.kind}>
              <code>
                {signs[row.kind]} {row.path === '' ? '(all)' : row.path}
              </code>
              {row.kind === 'added' ? null : <del>{shortJson(row.before)}</del>}
              {row.kind === 'removed' ? null : <ins>{shortJson(row.after)}</ins>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function shortJson(value: unknown): string {
  const text = jsonText(value ?? null);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
