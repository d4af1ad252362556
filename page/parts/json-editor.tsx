import { useId, type ReactNode } from 'react';

/** JSON as text, with what is wrong with it beneath. */
export function JsonEditor({
  label,
  value,
  onChange,
  problem,
  rows = 10,
  hint,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  problem?: string | undefined;
  rows?: number;
  hint?: string;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="mono"
        rows={rows}
        spellCheck={false}
        autoCapitalize="off"
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-note`} className={problem === undefined ? 'muted small' : 'bad-text small'}>
        {problem ?? hint ?? ''}
      </span>
    </div>
  );
}
