import { useMemo, useState, type FormEvent, type ReactNode } from 'react';
import { schemaProblems, type SchemaProblem } from '../../../cli/input/schema-problems.ts';
import type { WorkflowDetail } from '../../../cli/monitor/run-reader.ts';
import { jsonText } from '../../../cli/output/plain-text.ts';
import { isRecord } from '../../../cli/project/json-value.ts';
import { prefillInput } from '../../../cli/ui/model/forms/prefill-input.ts';
import { errorText } from '../../data/refusal.ts';
import { triggerRun } from '../../data/run-calls.ts';
import { readJsonObject } from '../../model/json-input.ts';
import { formOf } from '../../model/schema-form.ts';
import { JsonEditor } from '../../parts/json-editor.tsx';
import { SchemaFields } from '../../parts/schema-fields.tsx';
import { useCalls, usePermission } from '../../session/session.ts';

const priorities = [
  ['', 'As the workflow has it'],
  ['1', '1 – low'],
  ['2', '2 – medium'],
  ['3', '3 – high'],
] as const;

/** Starts a run: the input as a form of its schema, or as JSON; checked before it is sent. */
export function TriggerForm({
  workflow,
  input,
  metadata,
  onTriggered,
}: {
  workflow: WorkflowDetail;
  /** What to begin with; else what the schema suggests. */
  input?: unknown;
  metadata?: unknown;
  onTriggered: (runId: string) => void;
}): ReactNode {
  const schema = workflow.inputJsonSchema;
  const form = useMemo(() => formOf(schema), [schema]);
  const calls = useCalls();
  const { allowed, reason } = usePermission('trigger');
  const [value, setValue] = useState<unknown>(() => input ?? prefillInput(schema));
  const [mode, setMode] = useState<'form' | 'json'>(form === undefined ? 'json' : 'form');
  const [text, setText] = useState(() => jsonText(input ?? prefillInput(schema), 2));
  const [metadataText, setMetadataText] = useState(() => (isRecord(metadata) ? jsonText(metadata, 2) : ''));
  const [priority, setPriority] = useState('');
  const [problems, setProblems] = useState<readonly SchemaProblem[]>([]);
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);

  const show = (next: 'form' | 'json'): void => {
    if (next === mode) return;
    if (next === 'json') setText(jsonText(value, 2));
    else {
      const read = readJsonObject(text, 'The input');
      if (read.problem !== undefined) {
        setRefusal(read.problem);
        return;
      }
      setValue(read.value);
    }
    setRefusal(undefined);
    setProblems([]);
    setMode(next);
  };

  const submit = async (): Promise<void> => {
    const read = mode === 'form' ? { value, problem: undefined } : readJsonObject(text, 'The input');
    const meta = readJsonObject(metadataText, 'The metadata');
    setProblems([]);
    setRefusal(read.problem ?? meta.problem);
    if (read.problem !== undefined || meta.problem !== undefined) return;
    const found = schemaProblems(read.value, schema);
    setProblems(found);
    if (found.length > 0) return;
    setBusy(true);
    try {
      const runId = await triggerRun(calls, {
        workflow: workflow.workflow.name,
        input: read.value,
        metadata: metadataText.trim() === '' ? undefined : meta.value,
        priority: priority === '' ? undefined : Number(priority),
      });
      onTriggered(runId);
    } catch (error) {
      setRefusal(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    void submit();
  };

  return (
    <form className="stack trigger-form" onSubmit={onSubmit} noValidate>
      {form === undefined ? null : (
        <div className="segmented" role="group" aria-label="How to write the input">
          <button type="button" aria-pressed={mode === 'form'} onClick={() => show('form')}>
            Form
          </button>
          <button type="button" aria-pressed={mode === 'json'} onClick={() => show('json')}>
            JSON
          </button>
        </div>
      )}
      {form !== undefined && mode === 'form' ? (
        <SchemaFields form={form} value={value} onChange={setValue} problems={problems} />
      ) : (
        <JsonEditor
          label="Input"
          value={text}
          onChange={setText}
          problem={readJsonObject(text, 'The input').problem}
          hint={form === undefined && !isRecord(schema) ? 'The workflow has no schema: any JSON object fits.' : ''}
        />
      )}
      <details>
        <summary>Metadata and priority</summary>
        <div className="stack">
          <JsonEditor
            label="Metadata"
            value={metadataText}
            onChange={setMetadataText}
            problem={readJsonObject(metadataText, 'The metadata').problem}
            rows={3}
            hint="Runs are found by it: filter for customer:42."
          />
          <label className="field">
            <span>Priority</span>
            <select value={priority} onChange={(event) => setPriority(event.target.value)}>
              {priorities.map(([number, name]) => (
                <option key={number} value={number}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </details>
      {problems.length === 0 && refusal === undefined ? null : (
        <div className="notice bad" role="alert">
          {refusal === undefined ? 'The input does not fit the workflow’s schema:' : refusal}
          {problems.length === 0 ? null : (
            <ul>
              {problems.slice(0, 8).map(({ path, text: problem }) => (
                <li key={`${path.join('.')} ${problem}`}>
                  <code>{path.length === 0 ? 'input' : path.join('.')}</code> {problem}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      <div className="row end">
        <button type="submit" className="primary" disabled={busy || !allowed} title={reason}>
          {busy ? 'Triggering…' : 'Trigger'}
        </button>
      </div>
    </form>
  );
}
