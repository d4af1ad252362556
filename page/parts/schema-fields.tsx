import { useId, useState, type ReactNode } from 'react';
import type { SchemaProblem } from '../../cli/input/schema-problems.ts';
import { jsonText } from '../../cli/output/plain-text.ts';
import { isRecord } from '../../cli/project/json-value.ts';
import { readJson } from '../model/json-input.ts';
import type { Field } from '../model/schema-form.ts';
import { JsonEditor } from './json-editor.tsx';
import { Icon } from './icon.tsx';

type Change = (value: unknown) => void;

interface FieldProps<F extends Field = Field> {
  field: F;
  value: unknown;
  onChange: Change;
  path: readonly string[];
  problems: readonly SchemaProblem[];
}

/** A form of a JSON Schema's fields. What is not put in stays out of the value. */
export function SchemaFields({
  form,
  value,
  onChange,
  problems,
}: {
  form: Field & { kind: 'object' };
  value: unknown;
  onChange: Change;
  problems: readonly SchemaProblem[];
}): ReactNode {
  return <ObjectFields field={form} value={value} onChange={onChange} path={[]} problems={problems} />;
}

function ObjectFields({ field, value, onChange, path, problems }: FieldProps<Field & { kind: 'object' }>): ReactNode {
  const object = isRecord(value) ? value : {};
  return (
    <div className="stack">
      {field.fields.map((each) => {
        const { [each.name]: own, ...others } = object;
        return (
          <FieldRow
            key={each.name}
            field={each}
            value={own}
            // In the order of the schema, whatever was put in first.
            onChange={(next) => onChange(next === undefined ? others : { ...object, [each.name]: next })}
            path={[...path, each.name]}
            problems={problems}
          />
        );
      })}
    </div>
  );
}

/** One field with its label, whether it is there at all, and whether it is null. */
function FieldRow(props: FieldProps): ReactNode {
  const { field, value, onChange, path, problems } = props;
  const id = useId();
  const isThere = value !== undefined;
  const problem = problems.find((each) => each.path.join('/') === path.join('/'))?.text;
  const isGroup = field.kind === 'object' || field.kind === 'list';
  const label = field.title === '' ? (path.at(-1) ?? '') : field.title;
  const hasControls = (field.isNullable && isThere) || !field.isRequired;
  const head = (
    <span className={isGroup ? 'row end' : 'row spread'}>
      {isGroup ? null : (
        <span>
          {label}
          {field.isRequired ? <span className="muted"> (required)</span> : null}
        </span>
      )}
      <span className="row">
        {field.isNullable && isThere ? (
          <label className="check small">
            <input
              type="checkbox"
              checked={value === null}
              onChange={(event) => onChange(event.target.checked ? null : (field.initial ?? ''))}
            />
            <span>
              null<span className="hidden"> for {label}</span>
            </span>
          </label>
        ) : null}
        {field.isRequired ? null : (
          <button
            type="button"
            className="quiet small"
            onClick={() => onChange(isThere ? undefined : (field.initial ?? (field.isNullable ? null : '')))}
          >
            {isThere ? 'Leave out' : 'Put in'}
            <span className="hidden"> {label}</span>
          </button>
        )}
      </span>
    </span>
  );
  const control =
    !isThere || value === null ? (
      <p className="muted small">{isThere ? 'null' : 'left out'}</p>
    ) : (
      <Control {...props} id={id} describedBy={`${id}-note`} isBad={problem !== undefined} />
    );
  const note = (
    <span id={`${id}-note`} className={problem === undefined ? 'muted small' : 'bad-text small'}>
      {problem ?? field.description}
    </span>
  );
  if (isGroup)
    return (
      <fieldset className="field group" aria-describedby={`${id}-note`}>
        <legend>{label}</legend>
        {hasControls ? head : null}
        {note}
        {control}
      </fieldset>
    );
  return (
    <div className="field">
      <label htmlFor={id} className="hidden">
        {label}
      </label>
      {head}
      {control}
      {note}
    </div>
  );
}

interface ControlProps extends FieldProps {
  id: string;
  describedBy: string;
  isBad: boolean;
}

function Control(props: ControlProps): ReactNode {
  const { field, value, onChange, path, problems, id, describedBy, isBad } = props;
  const common = { id, 'aria-describedby': describedBy, 'aria-invalid': isBad, 'aria-required': field.isRequired };
  switch (field.kind) {
    case 'text':
      return field.isLong ? (
        <textarea {...common} rows={4} value={textOf(value)} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input
          {...common}
          type="text"
          value={textOf(value)}
          placeholder={field.format}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case 'number':
      return <NumberControl {...props} common={common} isInteger={field.isInteger} />;
    case 'boolean':
      return (
        <input
          {...common}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.target.checked)}
        />
      );
    case 'choice':
      return (
        <select
          {...common}
          value={String(field.choices.findIndex((choice) => jsonText(choice) === jsonText(value)))}
          onChange={(event) => onChange(field.choices[Number(event.target.value)])}
        >
          {field.choices.every((choice) => jsonText(choice) !== jsonText(value)) ? (
            <option value="-1">Choose…</option>
          ) : null}
          {field.choices.map((choice, index) => (
            <option key={jsonText(choice)} value={String(index)}>
              {typeof choice === 'string' ? choice : jsonText(choice)}
            </option>
          ))}
        </select>
      );
    case 'object':
      return <ObjectFields field={field} value={value} onChange={onChange} path={path} problems={problems} />;
    case 'list':
      return <ListControl field={field} value={value} onChange={onChange} path={path} problems={problems} />;
    case 'json':
      return <JsonControl {...props} />;
  }
}

/** Text that is no number stays as it is typed: the check before sending refuses it. */
function NumberControl({
  value,
  onChange,
  isInteger,
  common,
}: ControlProps & { isInteger: boolean; common: object }): ReactNode {
  const [typed, setTyped] = useState(() => textOf(value));
  const type = (text: string): void => {
    setTyped(text);
    const number = Number(text);
    onChange(text.trim() === '' || Number.isNaN(number) ? text : number);
  };
  return (
    <input
      {...common}
      type="text"
      inputMode={isInteger ? 'numeric' : 'decimal'}
      value={typed}
      onChange={(event) => type(event.target.value)}
    />
  );
}

function ListControl({ field, value, onChange, path, problems }: FieldProps<Field & { kind: 'list' }>): ReactNode {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return (
    <div className="stack">
      {items.map((item, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- items have nothing else that tells them apart
        <div key={index} className="list-item row">
          <div className="grow">
            <FieldRow
              field={{ ...field.item, title: `${index + 1}` }}
              value={item}
              onChange={(next) => onChange(items.map((each, at) => (at === index ? next : each)))}
              path={[...path, String(index)]}
              problems={problems}
            />
          </div>
          <button
            type="button"
            className="quiet small"
            aria-label={`Remove item ${index + 1}`}
            onClick={() => onChange(items.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <div>
        <button type="button" className="small" onClick={() => onChange([...items, field.item.initial ?? ''])}>
          Add item
        </button>
      </div>
    </div>
  );
}

function JsonControl({ field, value, onChange }: ControlProps): ReactNode {
  const [text, setText] = useState(() => (value === undefined ? '' : jsonText(value, 2)));
  const [problem, setProblem] = useState<string>();
  const type = (next: string): void => {
    setText(next);
    const read = readJson(next);
    setProblem(read.problem);
    // Until it can be read the text itself stands there, which the check before sending refuses.
    onChange(read.problem === undefined ? read.value : next);
  };
  return <JsonEditor label={`${field.title} as JSON`} value={text} onChange={type} problem={problem} rows={4} />;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
