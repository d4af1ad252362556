import type { ReactNode } from 'react';

/** The field that `/` goes to. */
export function SearchField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
}): ReactNode {
  return (
    <label className="search">
      <span className="hidden">{label}</span>
      <input
        type="search"
        data-filter
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
