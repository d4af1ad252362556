import {
  WorkerLabelComparator,
  type DesiredWorkerLabels as WireLabels,
  type TriggerWorkflowRequest,
} from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { applyNamespace } from '../config/client-config.ts';
import { enumValue } from '../enum-value.ts';
import { HatchetError } from '../errors.ts';
import { requireJson } from '../json-text.ts';
import { labelValue } from './label-value.ts';
import type { ParentRun } from './parent-run.ts';
import type { DesiredWorkerLabels, RunOptions } from './run-options.ts';

/** The engine's limit for one payload, in bytes. */
export const longestPayload = 4 * 1024 * 1024;

export interface TriggerFacts {
  name: string;
  namespace: string;
  /** JSON, as `inputJson` makes it. */
  input: string;
  options: RunOptions;
  parent: ParentRun | undefined;
  childIndex: number | undefined;
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function triggerRequest(facts: TriggerFacts): TriggerWorkflowRequest {
  const { options, parent } = facts;
  return {
    name: applyNamespace(facts.name, facts.namespace).toLowerCase(),
    input: facts.input,
    parentId: parent?.workflowRunId,
    parentTaskRunExternalId: parent?.taskRunExternalId,
    childIndex: parent === undefined ? undefined : facts.childIndex,
    childKey: parent === undefined ? undefined : options.childKey,
    additionalMetadata:
      options.additionalMetadata === undefined
        ? undefined
        : toJson(options.additionalMetadata, `the metadata of ${facts.name}`),
    desiredWorkerId: options.sticky === true ? parent?.workerId : undefined,
    priority: options.priority,
    desiredWorkerLabels: wireLabels(options.desiredWorkerLabels),
  };
}

/** @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function inputJson(name: string, input: unknown): string {
  return toJson(input ?? {}, `the input of ${name}`);
}

export function wireLabels(labels: DesiredWorkerLabels | undefined): Record<string, WireLabels> {
  return Object.fromEntries(
    Object.entries(labels ?? {}).map(([name, { value, required, weight, comparator }]) => [
      name,
      {
        ...labelValue(name, value),
        required,
        weight,
        comparator:
          comparator === undefined
            ? undefined
            : enumValue(WorkerLabelComparator, comparator, `comparator of the label ${name}`, 'INVALID_ARGUMENT'),
      },
    ]),
  );
}

function toJson(value: unknown, what: string): string {
  const text = requireJson(value, what);
  const bytes = Buffer.byteLength(text);
  if (bytes > longestPayload) {
    throw new HatchetError('PAYLOAD_TOO_LARGE', `${what} has ${bytes} bytes, and the limit is ${longestPayload}`, {
      remedy: 'Store it elsewhere and pass a reference',
    });
  }
  return text;
}

/**
 * Consecutive groups, none with more than `most` items or, unless it is a single one, more than `bytes` bytes.
 */
export function chunks<Item>(
  items: readonly Item[],
  most: number,
  bytes: number,
  sizeOf: (item: Item) => number,
): Item[][] {
  const groups: Item[][] = [];
  let group: Item[] = [];
  let size = 0;
  for (const item of items) {
    const itemSize = sizeOf(item);
    if (group.length > 0 && (group.length === most || size + itemSize > bytes)) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(item);
    size += itemSize;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
