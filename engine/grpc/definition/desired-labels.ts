import { text } from '../../edge/parse/text.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { labelComparators, type DesiredLabel, type LabelComparator } from '../../model/definition.ts';
import type { DesiredWorkerLabels } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';

/** Of a label that names none. */
const defaultLabelWeight = 100;
/** Labels of one task or run. */
const maxLabels = 100;

/** @throws HatchetError INVALID_ARGUMENT */
export function readDesiredLabels(
  labels: Readonly<Record<string, DesiredWorkerLabels>>,
  where: string,
): DesiredLabel[] {
  const entries = Object.entries(labels);
  if (entries.length > maxLabels)
    throw invalid(`${entries.length} worker labels are desired ${where}`, `Desire at most ${maxLabels}.`);
  return entries.map(([key, label]) => {
    const value = label.strValue ?? label.intValue;
    if (value === undefined)
      throw invalid(`the worker label ${JSON.stringify(key)} ${where} has no value`, 'Give it a string or an integer.');
    text(key, `the name of a worker label ${where}`);
    if (typeof value === 'string') text(value, `the worker label ${key} ${where}`);
    const weight = label.weight ?? defaultLabelWeight;
    return {
      key,
      value,
      comparator: comparatorOf(label.comparator ?? 0, where),
      required: label.required ?? false,
      weight,
    };
  });
}

function comparatorOf(wire: number, where: string): LabelComparator {
  const comparator = labelComparators[wire];
  if (comparator === undefined)
    throw invalid(`a worker label ${where} has the unknown comparator ${wire}`, 'Use one of the six comparators.');
  return comparator;
}
