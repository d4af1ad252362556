import type { Pool } from 'pg';
import type { Commands } from '../edge/parsed-commands.ts';
import { lineCursor } from '../edge/parse/cursor.ts';
import { knownId } from '../edge/parse/id.ts';
import { invalid, quoted } from '../edge/parse/invalid.ts';
import { atMost } from '../edge/parse/list.ts';
import { pageLimit } from '../edge/parse/number.ts';
import { search, texts } from '../edge/parse/selection.ts';
import { optionalText, text } from '../edge/parse/text.ts';
import { HatchetError } from '../base/errors.ts';
import { maxPageBytes, maxRunBytes } from '../model/limits.ts';
import { readWithin } from '../monitor/budget/answers-in-flight.ts';
import { definitionSize, readWorkflowHeads, readWorkflows } from '../monitor/definition-reads.ts';
import { formatDuration } from '../model/time/duration.ts';
import type { JournalFeed } from '../monitor/journal/journal-feed.ts';
import { parseCursor, readRunJournal, rowEvents } from '../monitor/journal/journal-reads.ts';
import { logLevels, readLogLines } from '../monitor/lines/log-reads.ts';
import type { RunDetail } from '../monitor/runs/run-detail.ts';
import { listRunSummaries, summarySize } from '../monitor/runs/run-list.ts';
import type { ChangeSignal } from '../figures/change-signal.ts';
import { FigureFeeds } from '../figures/figure-feeds.ts';
import { overviewOf, type EngineFacts } from '../figures/overview.ts';
import { queueFigures } from '../figures/queue-figures.ts';
import { scheduleFigures } from '../figures/schedule-figures.ts';
import { actionSize, readWorkers } from '../monitor/worker-reads.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import {
  ListQueuesResponse,
  ListSchedulesResponse,
  MonitorServiceService,
  StreamOverviewResponse,
  type ReportProcessEndRequest,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { whyWaiting } from '../figures/why.ts';
import type { Edge } from './edge.ts';
import { serve } from './handlers.ts';
import type { MonitorHandlers } from './monitor-calls.ts';
import {
  leftOutBytes,
  logLineMessage,
  runEventMessage,
  runSummaryMessage,
  taskDetailMessage,
  workerMessage,
  workflowMessage,
} from './monitor-messages.ts';
import type { LogIntake } from './log-intake.ts';
import { streamLogs, type LogStreamDeps } from './log-stream.ts';
import { exportRuns } from './runs/run-export.ts';
import { durableCauses } from './durable/durable-cause.ts';
import { durableMonitor, type DurableMonitorDeps } from './durable/durable-monitor.ts';
import { knownRun, runFilter } from './runs/run-filter.ts';
import { runWithTasks } from './runs/run-with-tasks.ts';
import { streamedByGrpc } from './streamed-answer.ts';
import type { GrpcService } from './grpc-server.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface MonitorDeps extends LogStreamDeps, DurableMonitorDeps {
  owner: Commands;
  dispatcher: Dispatcher;
  pool: Pool;
  feed: JournalFeed;
  logIntake: LogIntake;
  /** Of what the owner's memory holds. */
  changes: ChangeSignal;
  engine: EngineFacts;
}

/** By gRPC. */
export function monitorService(edge: Edge, handlers: MonitorHandlers): GrpcService {
  return serve(edge, MonitorServiceService, {
    ...handlers,
    exportRuns: streamedByGrpc(handlers.exportRuns),
    streamRunEvents: streamedByGrpc(handlers.streamRunEvents),
    streamLogs: streamedByGrpc(handlers.streamLogs),
    streamQueues: streamedByGrpc(handlers.streamQueues),
    streamSchedules: streamedByGrpc(handlers.streamSchedules),
    streamOverview: streamedByGrpc(handlers.streamOverview),
    streamDurableLog: streamedByGrpc(handlers.streamDurableLog),
  });
}

export function monitorHandlers(deps: MonitorDeps): MonitorHandlers {
  const { pool, owner } = deps;
  const runDetail = (tenantId: TenantId, id: string): Promise<RunDetail> => knownRun(pool, tenantId, id);
  const queues = new FigureFeeds(deps.changes, {
    everyMs: 100,
    read: (tenantId) => queueFigures(owner.stateOf(tenantId), tenantId),
    encode: (message) => ListQueuesResponse.encode(message).finish(),
  });
  const schedules = new FigureFeeds(deps.changes, {
    everyMs: 100,
    read: (tenantId) => scheduleFigures(owner.stateOf(tenantId), tenantId),
    encode: (message) => ListSchedulesResponse.encode(message).finish(),
  });
  const overviews = new FigureFeeds(deps.changes, {
    everyMs: 200,
    read: (tenantId) => overviewOf(owner.stateOf(tenantId), tenantId, deps.engine),
    encode: (message) => StreamOverviewResponse.encode(message).finish(),
  });
  return {
    ...durableMonitor(deps),
    listRuns: async (request, { tenantId }) => {
      const limit = pageLimit(request.limit, 50, 1000);
      const filter = await runFilter(pool, request, tenantId);
      return readWithin(maxPageBytes, async (payloadBytes) => {
        const rows = await listRunSummaries(pool, { ...filter, limit, payloadBytes });
        return {
          value: { rows: rows.map(runSummaryMessage), next: rows.length < limit ? undefined : rows.at(-1)?.id },
          ...summarySize(rows),
        };
      });
    },
    getRun: async (request, { tenantId }) => {
      const held = await runWithTasks(pool, tenantId, request.runId, { onlyTask: request.onlyTask });
      const { detail } = held.value;
      const state = deps.owner.stateOf(tenantId);
      const { nowUs } = owner;
      const causes = new Map(
        detail.tasks.flatMap((task) => {
          const cause = state === undefined ? undefined : whyWaiting(state, task.id, nowUs);
          return cause === undefined ? [] : [[task.id, cause] as const];
        }),
      );
      const durable = await held.until(
        durableCauses(
          pool,
          new Map(
            detail.tasks.flatMap(({ id, durable: isDurable }) => {
              const cause = causes.get(id);
              return cause === undefined || !isDurable ? [] : [[id, cause] as const];
            }),
          ),
        ),
      );
      return held.map(({ summary }) => ({
        run: runSummaryMessage(summary),
        input: detail.input,
        tasks: detail.tasks.map((task) =>
          taskDetailMessage(task, detail.id, durable.get(task.id) ?? causes.get(task.id)),
        ),
        inputLeftOutBytes: leftOutBytes(detail.inputLeftOut),
      }));
    },
    exportRuns: async ({ filter }, answer, { tenantId }, signal) => {
      if (filter === undefined) throw invalid('the filter is missing', 'Send an empty one for all runs.');
      const limit = pageLimit(filter.limit, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      const selected = await runFilter(pool, filter, tenantId);
      answer.begin();
      for await (const { value: runs, reservation } of exportRuns(pool, selected, limit)) {
        for (const run of runs) await answer.send(run, reservation.bytes);
        reservation.release();
        if (signal.aborted) return;
      }
    },
    listRunEvents: async (request, { tenantId }) => {
      const detail = await runDetail(tenantId, request.runId);
      const limit = pageLimit(request.limit, 1000, 10_000);
      const rows = await readRunJournal(pool, tenantId, detail.id, checkedCursor(request.after)?.seq ?? 0, limit);
      const events = rows
        .flatMap(rowEvents)
        .filter((event) => request.after === undefined || event.cursor > request.after);
      return { events: events.map(runEventMessage), next: rows.length < limit ? undefined : events.at(-1)?.cursor };
    },
    streamRunEvents: async (request, answer, { tenantId }, signal) => {
      checkedCursor(request.after);
      const runId = request.runId === undefined ? null : (await runDetail(tenantId, request.runId)).id;
      const wanted = new Set<string>(texts(request.workflowNames, 'the names of the workflows'));
      answer.begin();
      const nowSeq = owner.stateOf(tenantId)?.seq ?? owner.nowUs;
      let ended = false;
      for await (const page of deps.feed.read({ tenantId, runId, after: request.after ?? null, nowSeq, signal })) {
        const events = page.events.filter((event) => wanted.size === 0 || wanted.has(event.workflowName));
        await answer.write({ events: events.map(runEventMessage), cursor: page.cursor, live: page.live });
        for (const { type } of page.events) {
          if (type === 'RUN_FINISHED') ended = true;
          else if (type === 'RETRIED_BY_USER') ended = false; // a replay opened it again
        }
        if (runId !== null && ended && page.live) return;
      }
    },
    listLogs: async (request, { tenantId }) => {
      const id = knownId(request.id, 'UNKNOWN_RUN');
      const limit = pageLimit(request.limit, 1000, 10_000);
      const query = {
        tenantId,
        id,
        after: lineCursor(request.after),
        levels: atMost(request.levels, 'the levels', 100).map(levelNumber),
        search: search(request.search),
        limit,
        newest: request.newest ?? false,
      };
      return readWithin(maxPageBytes, async (bytes) => {
        const { lines, more, brought, leftOut } = await readLogLines(pool, { ...query, bytes });
        if (lines.length === 0) await runDetail(tenantId, request.id);
        return {
          value: { lines: lines.map(logLineMessage), next: more && !query.newest ? lines.at(-1)?.cursor : undefined },
          brought,
          leftOut,
        };
      });
    },
    streamLogs: async ({ id, after }, answer, { tenantId }, signal) => {
      const cursor = lineCursor(after);
      const detail = await runDetail(tenantId, id);
      answer.begin();
      await streamLogs(deps, { id, answer, tenantId, detail, after: cursor, signal });
    },
    putLogs: async ({ lines }, { tenantId }) => {
      await deps.logIntake.take(tenantId, lines);
      return {};
    },
    listWorkflows: async (request, { tenantId }) => {
      const limit = pageLimit(request.limit, 100, 1000);
      const rows = await readWorkflowHeads(pool, {
        tenantId,
        name: optionalText(request.name, 'the name') ?? undefined,
        afterName: optionalText(request.pageToken, 'the page token') ?? undefined,
        limit,
      });
      return { rows: rows.map(workflowMessage), next: rows.length < limit ? undefined : rows.at(-1)?.name };
    },
    getWorkflow: async (request, { tenantId }) => {
      // Registered names are one whatever their case, as for triggers.
      const name = text(request.name, 'the name of the workflow');
      const known = (await owner.served(tenantId)).latestVersion(tenantId, name)?.definition.name ?? name;
      const held = await readWithin(maxRunBytes, async (bytes) => {
        const rows = await readWorkflows(pool, { tenantId, name: known, limit: 1, bytes });
        return { value: rows[0]?.definition ?? undefined, ...definitionSize(rows) };
      });
      const [head] = await held.until(readWorkflowHeads(pool, { tenantId, name: known, limit: 1 }));
      return held.whole(`the definition of workflow ${known}`, 'Give it fewer tasks.').map((definition) => {
        if (definition === undefined || head === undefined)
          throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${quoted(name)}`, {
            remedy: 'Start a worker that registers it, or check the name.',
          });
        return {
          workflow: workflowMessage(head),
          tasks: definition.steps.map((step) => ({
            name: step.name,
            action: step.action,
            parents: step.parents.map((parent) => definition.steps[parent]?.name ?? ''),
            retries: step.retries,
            executionTimeout: formatDuration(step.executionTimeoutMs),
            scheduleTimeout: formatDuration(step.scheduleTimeoutMs),
            durable: step.durable,
          })),
          inputJsonSchema: definition.inputJsonSchema ?? undefined,
          defaultPriority: definition.defaultPriority,
        };
      });
    },
    listWorkers: async (request, { tenantId }) => {
      const held = [...(owner.stateOf(tenantId)?.workersById.values() ?? [])].filter(
        (worker) => worker.tenantId === tenantId && worker.tasks.size > 0,
      );
      return readWithin(maxPageBytes, async (bytes) => {
        const rows = await readWorkers(pool, {
          tenantId,
          all: request.all,
          ids: held.map((worker) => worker.id),
          limit: 1000,
          bytes,
        });
        return {
          value: {
            rows: rows.map((row) =>
              workerMessage(
                row,
                owner.stateOf(tenantId)?.workersById.get(row.id),
                deps.dispatcher.heardAgoMs(tenantId, row.id),
              ),
            ),
          },
          ...actionSize(rows),
        };
      });
    },
    reportProcessEnd: async (request, { tenantId }) => {
      const process = text(request.process, 'the process', { least: 1 });
      await owner.served(tenantId);
      return { workerIds: [...deps.dispatcher.processEnded(tenantId, process, processEnd(request))] };
    },
    listQueues: async (_request, { tenantId }) => queueFigures(await owner.served(tenantId), tenantId),
    streamQueues: async (_request, answer, { tenantId }, signal) => {
      for await (const message of queues.watch(tenantId, signal)) await answer.write(message);
    },
    listSchedules: async (_request, { tenantId }) => scheduleFigures(await owner.served(tenantId), tenantId),
    streamSchedules: async (_request, answer, { tenantId }, signal) => {
      for await (const message of schedules.watch(tenantId, signal)) await answer.write(message);
    },
    streamOverview: async (_request, answer, { tenantId }, signal) => {
      for await (const message of overviews.watch(tenantId, signal)) await answer.write(message);
    },
  };
}

/** @throws HatchetError INVALID_ARGUMENT */
function processEnd({ exitCode, signal }: ReportProcessEndRequest): string {
  const name = optionalText(signal, 'the signal', { most: 20 });
  if (name !== null) return name;
  if (exitCode === undefined)
    throw invalid('the process ended with neither an exit code nor a signal', 'Send one of the two.');
  return `exit code ${exitCode}`;
}

function checkedCursor(cursor: string | undefined): { seq: number } | undefined {
  if (cursor === undefined) return undefined;
  const parsed = parseCursor(cursor);
  if (parsed === undefined) throw invalid(`${quoted(cursor)} is not a cursor`, 'Pass a cursor that an event carried.');
  return parsed;
}

function levelNumber(name: string): number {
  const level = logLevels.findIndex((known) => known === name.toUpperCase());
  if (level < 0) throw invalid(`${quoted(name)} is not a log level`, `Use ${logLevels.join(', ')}.`);
  return level;
}
