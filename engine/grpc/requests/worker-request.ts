import { entriesAtMost, atMost } from '../../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { shownText, text } from '../../edge/parse/text.ts';
import type { Parsed } from '../../edge/parsed-commands.ts';
import type { Checked } from '../../model/checked.ts';
import type { RegisterWorkerCommand } from '../../plan/commands/workers/register-worker.ts';
import { SDKS, type WorkerLabels, type WorkerRegisterRequest } from '../../../proto/gen/hatchet/contract/dispatcher.ts';

const defaultSlots = 100;
const mostActions = 10_000;
const mostSlotTypes = 100;
const mostLabels = 100;

/** What a worker says of itself, checked whole. @throws HatchetError INVALID_ARGUMENT */
export function readWorker(
  request: WorkerRegisterRequest,
): Parsed<Pick<RegisterWorkerCommand, 'name' | 'actions' | 'slots' | 'labels' | 'runtime'>> {
  const actions = atMost(request.actions, 'the actions of the worker', mostActions).map((action) =>
    text(action.toLowerCase(), 'the name of an action of the worker'),
  );
  return {
    name: shownText(request.workerName),
    actions: [...new Set(actions)],
    slots: slotsOf(request),
    labels: labelValues(request.labels),
    runtime: runtimeOf(request),
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function labelValues(
  labels: Readonly<Record<string, WorkerLabels>>,
): Record<string, Checked<string> | Checked<number>> {
  const values = new Map<string, Checked<string> | Checked<number>>();
  for (const [name, { strValue, intValue }] of entriesAtMost(labels, 'the labels of the worker', mostLabels)) {
    const key = text(name, 'the name of a label of the worker');
    if (strValue !== undefined) values.set(key, text(strValue, `the label ${key} of the worker`));
    else if (intValue !== undefined)
      values.set(
        key,
        wholeNumber(intValue, `the label ${key} of the worker`, { min: -largestInteger - 1, max: largestInteger }),
      );
  }
  return Object.fromEntries(values);
}

function slotsOf({ slotConfig, slots }: WorkerRegisterRequest): Record<string, Checked<number>> {
  const entries = entriesAtMost(slotConfig, 'the types of slots of the worker', mostSlotTypes);
  const offered: [string, number][] = entries.length > 0 ? entries : [['default', slots ?? defaultSlots]];
  return Object.fromEntries(
    offered.map(([type, total]) => [
      text(type, 'the name of a slot type of the worker'),
      wholeNumber(total, `the worker's number of ${type} slots`, { min: 0, max: largestInteger }),
    ]),
  );
}

function runtimeOf({ runtimeInfo }: WorkerRegisterRequest): Record<string, Checked<string>> {
  const { sdkVersion, language, languageVersion, os, extra } = runtimeInfo ?? {};
  const name = Object.entries(SDKS).find(([, value]) => value === language)?.[0] ?? 'UNKNOWN';
  const facts = { sdkVersion, language: language === undefined ? undefined : name, languageVersion, os, extra };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [[key, shownText(value)]])),
  );
}
