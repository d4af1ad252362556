import { checkAgainstSchema, checkPayload } from '../../input/check-input.ts';
import { editText, fieldOf } from './edit-text.ts';
import { selectedItem, workflowOf } from './list-items.ts';
import { prefillInput } from './prefill-input.ts';
import { selectedRunId } from './run-keys.ts';
import type { Dialog, Key, Step, UiState } from './ui-state.ts';

/** The form that triggers a run, with the workflow that is looked at. */
export function openTrigger(state: UiState): Step {
  const names = state.workflows.map((workflow) => workflow.name);
  const chosen = Math.max(0, names.indexOf(wantedWorkflow(state) ?? ''));
  const name = names[chosen];
  if (name === undefined) return [{ ...state, notice: { text: 'No workflow is registered yet: a worker has to start first.', atMs: state.nowMs } }, []];
  const dialog: Dialog = { kind: 'trigger', workflows: names, chosen, input: fieldOf(prefillText(state, name)), error: '', isTyped: false };
  return [{ ...state, dialog }, [{ type: 'load-workflow', name }]];
}

function wantedWorkflow(state: UiState): string | undefined {
  if (state.run !== undefined) return state.run.detail?.run.workflow;
  if (state.view === 'runs') return state.runs.get(selectedRunId(state) ?? '')?.workflow;
  const item = selectedItem(state);
  return item === undefined ? undefined : workflowOf(item);
}

/** What to begin with: the schema's shape, else the newest run's input, else an empty object. */
export function prefillText(state: Pick<UiState, 'workflow' | 'lastInputs'>, name: string): string {
  const schema = state.workflow?.workflow.name === name ? state.workflow.inputJsonSchema : null;
  return schema === null ? (state.lastInputs.get(name) ?? '{}') : JSON.stringify(prefillInput(schema));
}

/** Keys in the form. */
export function inTrigger(state: UiState, dialog: Extract<Dialog, { kind: 'trigger' }>, key: Key): Step {
  if (key.name === 'escape') return [{ ...state, dialog: undefined }, []];
  if (key.name === 'up' || key.name === 'down' || key.name === 'tab') {
    const count = dialog.workflows.length;
    const chosen = (dialog.chosen + (key.name === 'up' ? count - 1 : 1)) % count;
    const name = dialog.workflows[chosen] ?? '';
    return [{ ...state, dialog: { ...dialog, chosen, input: fieldOf(prefillText(state, name)), error: '', isTyped: false } }, [{ type: 'load-workflow', name }]];
  }
  if (key.name !== 'enter') {
    const input = editText(dialog.input, key);
    return [{ ...state, dialog: { ...dialog, input, error: '', isTyped: dialog.isTyped || input.text !== dialog.input.text } }, []];
  }
  const workflow = dialog.workflows[dialog.chosen] ?? '';
  const error = inputError(state, workflow, dialog.input.text);
  if (error !== undefined) return [{ ...state, dialog: { ...dialog, error } }, []];
  return [{ ...state, dialog: undefined, lastInputs: new Map(state.lastInputs).set(workflow, dialog.input.text) }, [{ type: 'trigger', workflow, input: dialog.input.text }]];
}

function inputError(state: UiState, workflow: string, text: string): string | undefined {
  try {
    const value = checkPayload(text, 'the input');
    if (state.workflow?.workflow.name === workflow) checkAgainstSchema(value, { workflow, schema: state.workflow.inputJsonSchema });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
