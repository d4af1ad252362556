import { SDKS, type WorkerLabels, type WorkerRegisterRequest } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { RegisterWorkerCommand } from '../plan/command.ts';
import { invalid } from './definition-error.ts';
import { limitedText } from './request-limit.ts';

const defaultSlots = 100;
const mostActions = 10_000;
const mostSlotTypes = 100;
const mostLabels = 100;
const longestName = 255;

/** What a worker says of itself, checked whole. @throws HatchetError INVALID_ARGUMENT */
export function readWorker(request: WorkerRegisterRequest): Pick<RegisterWorkerCommand, 'name' | 'actions' | 'slots' | 'labels' | 'runtime'> {
  if (request.actions.length > mostActions) throw invalid(`the worker names ${request.actions.length} actions`, `Keep to ${mostActions}.`);
  for (const action of request.actions) limitedText(action, 'the name of an action of the worker');
  return {
    name: cut(request.workerName),
    actions: [...new Set(request.actions.map((action) => action.toLowerCase()))],
    slots: slotsOf(request),
    labels: labelValues(request.labels),
    runtime: runtimeOf(request),
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
export function labelValues(labels: Readonly<Record<string, WorkerLabels>>): Record<string, string | number> {
  const entries = Object.entries(labels);
  if (entries.length > mostLabels) throw invalid(`the worker has ${entries.length} labels`, `Give it at most ${mostLabels}.`);
  const values: Record<string, string | number> = {};
  for (const [key, label] of entries) {
    const value = label.strValue ?? label.intValue;
    if (value === undefined) continue;
    limitedText(key, 'the name of a label of the worker');
    if (typeof value === 'string') limitedText(value, `the label ${key} of the worker`);
    values[key.replaceAll('\0', '')] = typeof value === 'string' ? value.replaceAll('\0', '') : value;
  }
  return values;
}

function slotsOf({ slotConfig, slots }: WorkerRegisterRequest): Record<string, number> {
  const entries = Object.entries(slotConfig);
  if (entries.length > mostSlotTypes) throw invalid(`the worker offers ${entries.length} types of slots`, `Offer at most ${mostSlotTypes}.`);
  const offered = entries.length > 0 ? slotConfig : { default: slots ?? defaultSlots };
  for (const [type, total] of Object.entries(offered)) {
    limitedText(type, 'the name of a slot type of the worker');
    if (total < 0) throw invalid(`the worker offers ${total} ${type} slots`, 'Offer none or more.');
  }
  return offered;
}

function runtimeOf({ runtimeInfo }: WorkerRegisterRequest): Record<string, string> {
  const runtime: Record<string, string> = {};
  if (runtimeInfo?.sdkVersion !== undefined) runtime['sdkVersion'] = cut(runtimeInfo.sdkVersion);
  if (runtimeInfo?.language !== undefined) runtime['language'] = Object.entries(SDKS).find(([, value]) => value === runtimeInfo.language)?.[0] ?? 'UNKNOWN';
  if (runtimeInfo?.languageVersion !== undefined) runtime['languageVersion'] = cut(runtimeInfo.languageVersion);
  if (runtimeInfo?.os !== undefined) runtime['os'] = cut(runtimeInfo.os);
  return runtime;
}

/** What is only shown is cut. */
function cut(text: string): string {
  return text.replaceAll('\0', '').slice(0, longestName);
}
