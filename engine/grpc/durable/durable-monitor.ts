import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Commands } from '../../edge/parsed-commands.ts';
import { knownId } from '../../edge/parse/id.ts';
import { payload } from '../../edge/parse/checked-json.ts';
import { largestInteger, pageLimit, wholeNumber } from '../../edge/parse/number.ts';
import { HatchetError } from '../../base/errors.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { firstBranch } from '../../model/durable/durable.ts';
import { maxPageBytes, maxPayloadBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import {
  readBranchPoints,
  readDurableChanges,
  readDurableLog,
  type LogEntry,
} from '../../monitor/durable/durable-log-reads.ts';
import type { KeyedSignal } from '../../base/keyed-signal.ts';
import { branchOfNode } from '../../plan/durable/durable-log.ts';
import { branchTask } from '../../shard/prepare/branch-task.ts';
import type { StreamDurableLogResponse } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { logMessages } from './durable-messages.ts';
import type { MonitorHandlers } from '../monitor-calls.ts';
import { knownRun } from '../runs/run-filter.ts';
import type { StreamedAnswer } from '../streamed-answer.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface DurableMonitorDeps {
  owner: Commands;
  pool: Pool;
  /** By task: nodes of its log were asked or satisfied. */
  nodesChanged: KeyedSignal;
  /** People may end sleeps early. */
  allowSkip: boolean;
}

const defaultChars = 1_000;
/** Entries that are read at once; fewer where their outputs are wanted whole. */
const chunkEntries = 100;
/** Changes that are read at once; their outputs are short. */
const streamEntries = 500;
/** A replay asks hundreds of nodes a second; who watches is told of them together. */
const quietMs = 50;

/** What is seen of durable tasks, and what a person can do with them. */
export function durableMonitor(
  deps: DurableMonitorDeps,
): Pick<
  MonitorHandlers,
  'getDurableLog' | 'streamDurableLog' | 'skipSleep' | 'branchTask' | 'restoreTask' | 'continueAsNew'
> {
  const { pool, owner } = deps;
  return {
    getDurableLog: async (request, caller) => {
      const { tenantId } = caller;
      const limit = pageLimit(request.limit, 1000, 10_000);
      const outputChars = pageLimit(request.outputChars, defaultChars, maxPayloadBytes);
      const after = request.pageToken === undefined ? { branch: -1, node: -1 } : pagePlace(request.pageToken);
      const task = await durableTask(pool, tenantId, request.taskId);
      return readWithin(maxPageBytes, async (bytes) => {
        const { entries, more, brought, leftOut } = await readPage(pool, {
          tenantId,
          taskId: task.id,
          limit,
          outputChars,
          after,
          bytes,
        });
        const last = entries.at(-1);
        return {
          value: {
            taskId: task.id,
            name: task.name,
            ...logMessages(entries, outputChars),
            next: more && last !== undefined ? `${last.branch}.${last.node}` : undefined,
            canSkip: deps.allowSkip,
          },
          brought,
          leftOut,
        };
      });
    },
    streamDurableLog: async (request, answer, { tenantId }, signal) => {
      const outputChars = pageLimit(request.outputChars, defaultChars, defaultChars);
      const task = await durableTask(pool, tenantId, request.taskId);
      answer.begin();
      await follow(deps, { answer, tenantId, task, outputChars, signal });
    },
    skipSleep: async (request, caller) => {
      const { tenantId } = caller;
      if (!deps.allowSkip)
        throw new HatchetError('DEV_ONLY', 'sleeps run their time on this engine', {
          remedy: 'Skip them under `hatchet dev`.',
        });
      const { id } = await durableTask(pool, tenantId, request.taskId);
      caller.note(id);
      const node = checkedPlace('node', request.node, 1);
      const branch =
        request.branch === undefined ? await branchOf(pool, id, node) : checkedPlace('branch', request.branch, 0);
      await owner.submit({ kind: 'durableSkip', tenantId, taskId: id, branch, node });
      return {};
    },
    branchTask: async (request, caller) => {
      const { tenantId } = caller;
      const { id } = await durableTask(pool, tenantId, request.taskId);
      caller.note(id);
      const made = await branchTask(owner, {
        tenantId,
        taskId: id,
        branch: checkedPlace('branch', request.branch ?? 0, 0),
        node: checkedPlace('node', request.node, 1),
      });
      return { taskId: id, branch: made.branch, node: made.node };
    },
    restoreTask: async (request, caller) => {
      const { tenantId } = caller;
      const { id } = await durableTask(pool, tenantId, request.taskId);
      caller.note(id);
      const { requeued } = await owner.submit({ kind: 'durableRestore', tenantId, taskId: id });
      return { taskId: id, requeued };
    },
    continueAsNew: async (request, { tenantId }) => {
      const taskId = knownId(request.taskId, 'UNKNOWN_RUN');
      const invocation = wholeNumber(request.invocation, 'the invocation', { min: 1, max: largestInteger });
      const input = await payload(owner.payloads, tenantId, request.input === '' ? '{}' : request.input, 'the input');
      await owner.submit({ kind: 'durableContinue', tenantId, workerId: null, taskId, invocation, input });
      return {};
    },
  };
}

/** By its own id, or by that of a run which has no other. @throws HatchetError UNKNOWN_RUN, INVALID_ARGUMENT */
async function durableTask(
  pool: Pool,
  tenantId: TenantId,
  given: string,
): Promise<{ id: Checked<string>; name: string }> {
  const run = await knownRun(pool, tenantId, given);
  const own = run.tasks.find((task) => task.id === given.toLowerCase());
  const durable = (own === undefined ? run.tasks : [own]).filter((task) => task.durable);
  const [only] = durable;
  if (only === undefined)
    throw new HatchetError('INVALID_ARGUMENT', `${own === undefined ? 'run' : 'task'} ${given} is not durable`, {
      remedy: 'Only durable tasks have a log.',
    });
  if (durable.length > 1)
    throw new HatchetError('INVALID_ARGUMENT', `run ${given} has ${durable.length} durable tasks`, {
      remedy: `Name one by its id: ${durable.map((task) => `${task.id} (${task.name})`).join(', ')}.`,
    });
  return { id: markChecked(only.id), name: only.name };
}

function pagePlace(token: string): { branch: number; node: number } {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(token);
  if (match === null)
    throw new HatchetError('INVALID_ARGUMENT', 'the page token is not one of this log', {
      remedy: 'Pass `next` of the page before.',
    });
  return { branch: Number(match[1]), node: Number(match[2]) };
}

function checkedPlace(name: string, value: number, least: number): Checked<number> {
  if (value < least || value > largestInteger)
    throw new HatchetError('INVALID_ARGUMENT', `the ${name} is ${value}`, {
      remedy: '`hatchet runs get <id>` shows the log with its nodes and branches.',
    });
  return markChecked(value);
}

/** On which branch the node lies that the task's present branch sees. */
async function branchOf(pool: Pool, taskId: string, node: number): Promise<Checked<number>> {
  const points = await readBranchPoints(pool, [taskId]);
  return markChecked(branchOfNode(points, points.at(-1)?.branch ?? firstBranch, node));
}

interface PageOptions {
  tenantId: TenantId;
  taskId: string;
  limit: number;
  outputChars: number;
  after: { branch: number; node: number };
  /** The page ends before it is larger; its first entry is always there. */
  bytes: number;
}

/** At most `limit` entries, read in pieces that are no larger than a page. */
async function readPage(
  pool: Pool,
  options: PageOptions,
): Promise<{ entries: LogEntry[]; more: boolean; brought: number; leftOut: number }> {
  const { tenantId, taskId, limit, outputChars, bytes } = options;
  const entries: LogEntry[] = [];
  let { after } = options;
  let brought = 0;
  for (;;) {
    const wanted = Math.min(chunkEntries, Math.max(1, Math.floor(maxPageBytes / outputChars)), limit - entries.length);
    // One character more than is shown tells that there are more.
    const chunk = await readDurableLog(pool, { tenantId, taskId, limit: wanted, outputChars: outputChars + 1, after });
    for (const entry of chunk) {
      if (entries.length > 0 && brought + entry.size > bytes)
        return { entries, more: true, brought, leftOut: bytes < maxPageBytes ? maxPageBytes : 0 };
      brought += entry.size;
      entries.push(entry);
    }
    if (chunk.length < wanted) return { entries, more: false, brought, leftOut: 0 };
    if (entries.length >= limit) return { entries, more: true, brought, leftOut: 0 };
    after = chunk.at(-1) ?? after;
  }
}

async function follow(
  deps: DurableMonitorDeps,
  options: {
    answer: StreamedAnswer<StreamDurableLogResponse>;
    tenantId: TenantId;
    task: { id: string; name: string };
    outputChars: number;
    signal: AbortSignal;
  },
): Promise<void> {
  const { answer, tenantId, task, outputChars, signal } = options;
  let dirty = true;
  let live = false;
  let wake = (): void => undefined;
  const poke = (): void => {
    dirty = true;
    wake();
  };
  const stop = deps.nodesChanged.watch([task.id], poke);
  signal.addEventListener('abort', poke);
  try {
    let sinceUs = 0;
    while (!signal.aborted) {
      if (!dirty) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      dirty = false;
      const entries = await readDurableChanges(deps.pool, {
        tenantId,
        taskId: task.id,
        limit: streamEntries,
        outputChars: outputChars + 1,
        sinceUs,
      });
      sinceUs = entries.at(-1)?.changedUs ?? sinceUs;
      const more = entries.length === streamEntries;
      if (entries.length > 0 || !live)
        await answer.write({
          taskId: task.id,
          name: task.name,
          ...logMessages(entries, outputChars),
          canSkip: deps.allowSkip,
          live: !more,
        });
      live ||= !more;
      if (more) dirty = true;
      else await delay(quietMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    signal.removeEventListener('abort', poke);
    stop();
  }
}
