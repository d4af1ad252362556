import { useMemo, useState, type ReactNode } from 'react';
import { jsonText } from '../../cli/output/plain-text.ts';
import { findInJson, jsonLines, opened, toggledAt, unfolded, withMore, type JsonLine } from '../model/json-lines.ts';
import { CopyButton } from './copy-button.tsx';
import { FoldIcon } from './icon.tsx';

/** A value that can be folded, searched and copied. */
export function JsonView({ value, name }: { value: unknown; name: string }): ReactNode {
  const [folding, setFolding] = useState(unfolded);
  const [search, setSearch] = useState('');
  const found = useMemo(() => findInJson(value, search.trim()), [value, search]);
  const shown = useMemo(() => (found.open.size === 0 ? folding : opened(folding, found.open)), [folding, found]);
  const lines = useMemo(() => jsonLines(value, shown), [value, shown]);
  const matches = useMemo(() => new Set(found.matches), [found]);
  return (
    <div className="json">
      <div className="row spread json-bar">
        <label className="search">
          <span className="hidden">Search in {name}</span>
          <input
            type="search"
            placeholder={`Search in ${name}`}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
        <span className="row">
          <span className="muted" aria-live="polite">
            {search.trim() === '' ? '' : `${found.matches.length} found`}
          </span>
          <CopyButton text={jsonText(value, 2)} what={name} />
        </span>
      </div>
      <div className="json-lines scroll-box" tabIndex={0} role="group" aria-label={name}>
        {lines.map((line) => (
          <Line
            key={`${line.kind === 'more' ? 'more' : ''}${line.path}`}
            line={line}
            isMatch={line.kind !== 'more' && matches.has(line.path)}
            onToggle={() => setFolding(toggledAt(shown, line.path))}
            onMore={() => setFolding(withMore(shown, line.path))}
          />
        ))}
      </div>
    </div>
  );
}

function Line({
  line,
  isMatch,
  onToggle,
  onMore,
}: {
  line: JsonLine;
  isMatch: boolean;
  onToggle: () => void;
  onMore: () => void;
}): ReactNode {
  const { kind, name, text, isOpen, canFold, depth } = line;
  const indent = { paddingInlineStart: `${depth * 1.25}rem` };
  if (kind === 'more')
    return (
      <div className="json-line" style={indent}>
        <button type="button" className="quiet small" onClick={onMore}>
          {text}
        </button>
      </div>
    );
  const label = name === undefined ? '' : `${name}: `;
  return (
    <div className={isMatch ? 'json-line match' : 'json-line'} style={indent}>
      {canFold ? (
        <button type="button" className="fold" aria-expanded={isOpen} onClick={onToggle}>
          <FoldIcon isOpen={isOpen} />
          <span className="json-name">{label}</span>
          <span className="muted">
            {kind === 'array' ? '[' : '{'} {text} {kind === 'array' ? ']' : '}'}
          </span>
        </button>
      ) : (
        <>
          <span className="json-name">{label}</span>
          <span className={`json-${kind}`}>{kind === 'array' ? '[]' : kind === 'object' ? '{}' : text}</span>
        </>
      )}
    </div>
  );
}
