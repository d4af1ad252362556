import { useState, type FormEvent, type ReactNode } from 'react';
import { errorText } from '../../data/refusal.ts';
import { readJsonObject } from '../../model/json-input.ts';
import { useFeedback } from '../../parts/feedback.tsx';
import { JsonEditor } from '../../parts/json-editor.tsx';
import { useCalls, usePermission } from '../../session/session.ts';

export function PushEventForm({ keys, onPushed }: { keys: readonly string[]; onPushed: () => void }): ReactNode {
  const calls = useCalls();
  const { tell } = useFeedback();
  const { allowed, reason } = usePermission('trigger');
  const [key, setKey] = useState('');
  const [scope, setScope] = useState('');
  const [data, setData] = useState('{}');
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const push = async (): Promise<void> => {
    const read = readJsonObject(data, 'The payload');
    if (key.trim() === '') {
      setRefusal('Give the event a key, such as order:paid.');
      return;
    }
    setRefusal(read.problem);
    if (read.problem !== undefined) return;
    setBusy(true);
    try {
      await calls.rest('POST /api/v1/tenants/:tenant/events', {
        body: { key: key.trim(), data: read.value, ...(scope.trim() === '' ? {} : { scope: scope.trim() }) },
      });
      tell(`Pushed ${key.trim()}.`);
      onPushed();
    } catch (error) {
      setRefusal(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    void push();
  };
  return (
    <form className="card stack" onSubmit={onSubmit} noValidate aria-label="Push an event">
      <div className="row wrap">
        <label className="field grow">
          <span>Key</span>
          <input type="text" list="event-keys" value={key} onChange={(event) => setKey(event.target.value)} />
        </label>
        <label className="field grow">
          <span>Scope (optional)</span>
          <input type="text" value={scope} onChange={(event) => setScope(event.target.value)} />
        </label>
      </div>
      <datalist id="event-keys">
        {keys.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <JsonEditor
        label="Payload"
        value={data}
        onChange={setData}
        problem={readJsonObject(data, 'The payload').problem}
        rows={5}
      />
      {refusal === undefined ? null : (
        <p className="notice bad" role="alert">
          {refusal}
        </p>
      )}
      <div className="row end">
        <button type="submit" className="primary" disabled={busy || !allowed} title={reason}>
          Push
        </button>
      </div>
    </form>
  );
}
