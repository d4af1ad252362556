import type { MethodDefinition } from '@grpc/grpc-js';
import { MonitorServiceService } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { Caller } from '../edge/access/caller.ts';
import type { MonitorMethod } from '../edge/access/route-rules.ts';
import { Held } from '../monitor/budget/answers-in-flight.ts';
import type { StreamedAnswer, StreamHandler } from './streamed-answer.ts';

type UnaryHandler<Req, Res> = (request: Req, caller: Caller) => Promise<Res | Held<Res>>;

type HandlerOf<M> =
  M extends MethodDefinition<infer Req, infer Res>
    ? M extends { responseStream: true }
      ? StreamHandler<Req, Res>
      : UnaryHandler<Req, Res>
    : never;

/** The handlers of the monitoring service, which know nothing of how a call came. */
export type MonitorHandlers = {
  [Name in keyof typeof MonitorServiceService]: HandlerOf<(typeof MonitorServiceService)[Name]>;
};

/** A method whose requests and answers are bytes in the protocol's own form. */
export type CallByBytes =
  | { kind: 'unary'; call: (request: Buffer, caller: Caller) => Promise<Buffer | Held<Buffer>> }
  | {
      kind: 'stream';
      call: (request: Buffer, answer: StreamedAnswer<Buffer>, caller: Caller, signal: AbortSignal) => Promise<void>;
    };

export type MonitorCalls = Readonly<Record<MonitorMethod, CallByBytes>>;

/** What of the service can be called by other ways than gRPC. Who may call is for the caller of these to see to. */
export function monitorCalls(handlers: MonitorHandlers): MonitorCalls {
  const methods = MonitorServiceService;
  return {
    ListRuns: unary(methods.listRuns, handlers.listRuns),
    GetRun: unary(methods.getRun, handlers.getRun),
    ExportRuns: stream(methods.exportRuns, handlers.exportRuns),
    ListRunEvents: unary(methods.listRunEvents, handlers.listRunEvents),
    StreamRunEvents: stream(methods.streamRunEvents, handlers.streamRunEvents),
    ListLogs: unary(methods.listLogs, handlers.listLogs),
    StreamLogs: stream(methods.streamLogs, handlers.streamLogs),
    ListWorkflows: unary(methods.listWorkflows, handlers.listWorkflows),
    GetWorkflow: unary(methods.getWorkflow, handlers.getWorkflow),
    ListWorkers: unary(methods.listWorkers, handlers.listWorkers),
    ListQueues: unary(methods.listQueues, handlers.listQueues),
    StreamQueues: stream(methods.streamQueues, handlers.streamQueues),
    ListSchedules: unary(methods.listSchedules, handlers.listSchedules),
    StreamSchedules: stream(methods.streamSchedules, handlers.streamSchedules),
    StreamOverview: stream(methods.streamOverview, handlers.streamOverview),
    GetDurableLog: unary(methods.getDurableLog, handlers.getDurableLog),
    StreamDurableLog: stream(methods.streamDurableLog, handlers.streamDurableLog),
    SkipSleep: unary(methods.skipSleep, handlers.skipSleep),
    BranchTask: unary(methods.branchTask, handlers.branchTask),
    RestoreTask: unary(methods.restoreTask, handlers.restoreTask),
  };
}

function unary<Req, Res>(method: MethodDefinition<Req, Res>, handle: UnaryHandler<Req, Res>): CallByBytes {
  return {
    kind: 'unary',
    call: async (request, caller) => {
      const answer = await handle(method.requestDeserialize(request), caller);
      if (!(answer instanceof Held)) return method.responseSerialize(answer);
      const held: Held<Res> = answer;
      return held.map((value) => method.responseSerialize(value));
    },
  };
}

function stream<Req, Res>(method: MethodDefinition<Req, Res>, handle: StreamHandler<Req, Res>): CallByBytes {
  return {
    kind: 'stream',
    call: (request, answer, caller, signal) =>
      handle(
        method.requestDeserialize(request),
        {
          begin: () => answer.begin(),
          write: (message) => answer.write(method.responseSerialize(message)),
          send: (message, bytes) => answer.send(method.responseSerialize(message), bytes),
        },
        caller,
        signal,
      ),
  };
}
