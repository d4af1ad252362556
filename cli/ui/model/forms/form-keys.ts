import { checkAgainstSchema, checkObject, checkPayload } from '../../../input/check-input.ts';
import { selectedItem, workflowOf } from '../lists/list-items.ts';
import { movement, moved } from '../move.ts';
import { selectedRunId } from '../runs/selected-run.ts';
import { visibleRuns } from '../runs/visible-runs.ts';
import type { Form, Key, Step, UiAction, UiState } from '../ui-state.ts';
import { editText, fieldOf } from './edit-text.ts';
import { choicesOf, chosenName } from './form-choices.ts';
import { prefillInput } from './prefill-input.ts';

/** The form that triggers a run, with the workflow that is looked at: where there is none, it asks first which is meant. */
export function openTrigger(state: UiState): Step {
  const names = state.workflows.map(({ name }) => name);
  if (names.length === 0)
    return [
      { ...state, notice: { text: 'No workflow is registered yet: a worker has to start first.', atMs: state.nowMs } },
      [],
    ];
  const wanted = names.indexOf(wantedWorkflow(state) ?? '');
  const field = wanted >= 0 || names.length === 1 ? 'value' : 'name';
  return prefill(state, {
    kind: 'trigger',
    names,
    filter: fieldOf(''),
    at: Math.max(0, wanted),
    field,
    value: fieldOf('{}'),
    scope: fieldOf(''),
    error: '',
    isTyped: false,
  });
}

/** The form that pushes an event; its keys are those that workflows listen to. */
export function openEvent(state: UiState): Step {
  const names = [...new Set(state.workflows.flatMap(({ eventKeys }) => eventKeys))].sort();
  return prefill(state, {
    kind: 'event',
    names,
    filter: fieldOf(''),
    at: 0,
    field: 'name',
    value: fieldOf('{}'),
    scope: fieldOf(''),
    error: '',
    isTyped: false,
  });
}

function wantedWorkflow(state: UiState): string | undefined {
  if (state.run !== undefined) return state.run.detail?.run.workflow;
  if (state.view === 'runs') {
    const runId = selectedRunId(state);
    return visibleRuns(state).find((run) => run.runId === runId)?.workflow;
  }
  const item = selectedItem(state);
  return item === undefined ? undefined : workflowOf(item);
}

/** The workflow whose input the value is: what is triggered, or the first that listens to the key. */
function workflowFor(state: Pick<UiState, 'workflows'>, form: Form): string | undefined {
  const name = chosenName(form);
  if (name === undefined || form.kind === 'trigger') return name;
  return state.workflows.find(({ eventKeys }) =>
    eventKeys.some((pattern) => pattern === name || fitsPattern(pattern, name)),
  )?.name;
}

/** As the engine judges it: `*` stands for any run of characters. */
function fitsPattern(pattern: string, key: string): boolean {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  ).test(key);
}

/** The form with what is known of its value, unless somebody typed one; what is not known yet is asked for. */
function prefill(state: UiState, form: Form, before?: Form): Step {
  const name = workflowFor(state, form);
  if (before !== undefined && name === workflowFor(state, before)) return [{ ...state, dialog: form }, []];
  const value = form.isTyped ? form.value : fieldOf(name === undefined ? '{}' : prefillText(state, name));
  return [{ ...state, dialog: { ...form, value } }, name === undefined ? [] : [{ type: 'load-workflow', name }]];
}

/** What to begin with: the schema's shape, else the newest run's input, else an empty object. */
function prefillText(state: Pick<UiState, 'workflow' | 'lastInputs'>, name: string): string {
  const schema = state.workflow?.workflow.name === name ? state.workflow.inputJsonSchema : null;
  return schema === null ? (state.lastInputs.get(name) ?? '{}') : JSON.stringify(prefillInput(schema));
}

/** A value that nobody has typed into yet gets the schema's shape, or else the newest run's input. */
export function withWorkflow(
  state: UiState,
  { workflow, lastInput }: Extract<UiAction, { type: 'workflow' }>,
): UiState {
  const { name } = workflow.workflow;
  const lastInputs = lastInput === undefined ? state.lastInputs : new Map(state.lastInputs).set(name, lastInput);
  const next = { ...state, workflow, lastInputs };
  const { dialog } = state;
  if ((dialog?.kind !== 'trigger' && dialog?.kind !== 'event') || dialog.isTyped || workflowFor(state, dialog) !== name)
    return next;
  return { ...next, dialog: { ...dialog, value: fieldOf(prefillText(next, name)) } };
}

/** Keys in the form. */
export function inForm(state: UiState, form: Form, key: Key): Step {
  if (key.name === 'escape') return [{ ...state, dialog: undefined }, []];
  if (key.name === 'up' || key.name === 'down' || key.name === 'pageUp' || key.name === 'pageDown') {
    const count = choicesOf(form).length;
    const by = movement(key, 5) ?? 0;
    return count === 0 ? [state, []] : prefill(state, { ...form, at: moved(form.at, by, count), error: '' }, form);
  }
  if (key.name === 'tab')
    return form.field === 'name'
      ? goOn(state, form)
      : [
          { ...state, dialog: { ...form, field: form.kind === 'event' && form.field === 'value' ? 'scope' : 'name' } },
          [],
        ];
  if (key.name === 'enter') return form.field === 'name' ? goOn(state, form) : send(state, form);
  if (form.field === 'name') {
    const filter = editText(form.filter, key);
    return filter.text === form.filter.text
      ? [{ ...state, dialog: { ...form, filter } }, []]
      : prefill(state, { ...form, filter, at: 0, error: '' }, form);
  }
  if (form.field === 'scope')
    return [{ ...state, dialog: { ...form, scope: editText(form.scope, key), error: '' } }, []];
  const value = editText(form.value, key);
  return [
    { ...state, dialog: { ...form, value, error: '', isTyped: form.isTyped || value.text !== form.value.text } },
    [],
  ];
}

/** From the name to its value. A pattern is no key: what it stands for is typed. */
function goOn(state: UiState, form: Form): Step {
  const name = chosenName(form);
  const refuse = (error: string, filter = form.filter): Step => [{ ...state, dialog: { ...form, filter, error } }, []];
  if (name === undefined)
    return refuse(
      form.kind === 'trigger'
        ? `No workflow's name holds ${JSON.stringify(form.filter.text)}.`
        : 'Type the key of the event.',
    );
  if (form.kind === 'event' && name.includes('*') && form.names.includes(name))
    return refuse(
      `${name} stands for many keys: type the one that is meant.`,
      fieldOf(name.slice(0, name.indexOf('*'))),
    );
  return [{ ...state, dialog: { ...form, field: 'value', error: '' } }, []];
}

function send(state: UiState, form: Form): Step {
  const name = chosenName(form);
  if (name === undefined) return goOn(state, form);
  const { text } = form.value;
  const error = valueError(state, form, name);
  if (error !== undefined) return [{ ...state, dialog: { ...form, error } }, []];
  const closed: UiState = { ...state, dialog: undefined };
  if (form.kind === 'event')
    return [closed, [{ type: 'push-event', key: name, payload: text, scope: form.scope.text.trim() || undefined }]];
  return [
    { ...closed, lastInputs: new Map(state.lastInputs).set(name, text) },
    [{ type: 'trigger', workflow: name, input: text }],
  ];
}

function valueError(state: UiState, form: Form, name: string): string | undefined {
  try {
    if (form.kind === 'event') {
      checkObject(form.value.text, 'the payload');
      return undefined;
    }
    const value = checkPayload(form.value.text, 'the input');
    if (state.workflow?.workflow.name === name)
      checkAgainstSchema(value, { workflow: name, schema: state.workflow.inputJsonSchema });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
