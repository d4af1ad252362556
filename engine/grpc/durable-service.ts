import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Pool } from 'pg';
import type { Identity } from '../auth/tokens.ts';
import type { DurableLinks } from '../dispatch/durable-links.ts';
import { HatchetError } from '../errors.ts';
import type { DurableAskReply } from '../plan/durable-command.ts';
import { parseUuid } from '../model/uuid.ts';
import { readSignal } from '../monitor/durable-log.ts';
import type { NodeResults } from '../monitor/node-results.ts';
import type { Owner } from '../shard/owner.ts';
import { V1DispatcherService, type DurableEvent, type DurableTaskRequest, type DurableTaskResponse, type ListenForDurableEventRequest, type V1DispatcherServer } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { readDurableConditions } from './durable-conditions.ts';
import { DurableStream } from './durable-stream.ts';
import { authenticate, unary, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';
import { toServiceError } from './status.ts';

export interface DurableDeps extends Edge {
  owner: Owner;
  links: DurableLinks<DurableAskReply>;
  results: NodeResults;
  pool: Pool;
}

const longestKey = 1000;
/** Metadata of a stream whose worker keeps a result until its code asks for it, in whatever order they come: our SDK's do, Hatchet's do not. */
const anyOrder = 'hatchet-results-in-any-order';

/** The durable side of workers: the stream of their operations, and the two calls of older SDKs. */
export function durableService(deps: DurableDeps): GrpcService {
  const implementation: V1DispatcherServer = {
    durableTask: (call) => void durableTask(deps, call),
    registerDurableEvent: unary(deps, async (request, { tenantId }) => {
      const conditions = readDurableConditions(request.conditions);
      await deps.owner.submit(tenantId, { kind: 'durableSignal', tenantId, taskId: taskId(request.taskId), key: signalKey(request.signalKey), conditions });
      return {};
    }),
    listenForDurableEvent: (call) => void listenForDurableEvent(deps, call),
  };
  return { definition: V1DispatcherService, implementation };
}

/** @throws HatchetError UNKNOWN_RUN */
function taskId(given: string): string {
  const id = parseUuid(given);
  if (id === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no task run ${JSON.stringify(given)}`, { remedy: 'Check the id.' });
  return id;
}

/** @throws HatchetError INVALID_ARGUMENT */
function signalKey(given: string): string {
  if (given === '' || given.length > longestKey || given.includes('\0')) throw new HatchetError('INVALID_ARGUMENT', `the signal key has ${given.length} characters`, { remedy: `Use 1 to ${longestKey}, without NUL.` });
  return given;
}

/** Both directions are open from the start: what comes before the token is checked waits. */
async function duplex<Req, Res>(deps: Edge, call: ServerDuplexStream<Req, Res>, begin: (caller: Identity, fail: (error: unknown) => void) => { handle: (request: Req) => void; end: () => void }): Promise<void> {
  const early: Req[] = [];
  let handle = (request: Req): void => void early.push(request);
  let end = (): void => undefined;
  let ended = false;
  const stop = (): void => {
    ended = true;
    end();
  };
  const fail = (error: unknown): void => {
    stop();
    call.emit('error', toServiceError(error, deps.log));
  };
  call.on('data', (request: Req) => {
    try {
      handle(request);
    } catch (error) {
      fail(error);
    }
  });
  call.on('cancelled', stop);
  call.on('error', stop);
  call.on('end', () => {
    stop();
    call.end();
  });
  try {
    const caller = await authenticate(deps, call);
    if (ended) return;
    const begun = begin(caller, fail);
    ({ handle, end } = begun);
    for (const request of early.splice(0)) handle(request);
  } catch (error) {
    fail(error);
  }
}

function durableTask(deps: DurableDeps, call: ServerDuplexStream<DurableTaskRequest, DurableTaskResponse>): Promise<void> {
  return duplex(deps, call, ({ tenantId }, fail) => {
    let open = true;
    const stream = new DurableStream(deps, {
      tenantId,
      strict: call.metadata.get(anyOrder).length === 0,
      write: (message) => void (open && call.write({ message })),
      fail: (error) => {
        if (open) fail(error);
      },
    });
    return {
      handle: (request) => stream.handle(request),
      end: () => {
        open = false;
        stream.end();
      },
    };
  });
}

/** A signal that was satisfied before is answered at once; the same one may be asked for again after a reconnect. */
function listenForDurableEvent(deps: DurableDeps, call: ServerDuplexStream<ListenForDurableEventRequest, DurableEvent>): Promise<void> {
  return duplex(deps, call, ({ tenantId }, fail) => {
    const stops = new Map<string, () => void>();
    return {
      handle: (request) => {
        const id = parseUuid(request.taskId);
        if (id === undefined) return;
        let told = false;
        const tell = (payload: string): void => {
          if (!told && !call.cancelled) call.write({ taskId: request.taskId, signalKey: request.signalKey, data: Buffer.from(payload) });
          told = true;
        };
        const name = `${id} ${signalKey(request.signalKey)}`;
        // Asked again, or by another tenant of the shard: nothing more is waited for.
        if (isLiveTask(deps.owner, tenantId, id) && !stops.has(name)) stops.set(name, deps.links.onSignal(id, request.signalKey, tell));
        readSignal(deps.pool, { tenantId, taskId: id, key: request.signalKey }).then((payload) => {
          if (payload !== undefined) tell(payload);
        }, fail);
      },
      end: () => {
        for (const stop of stops.values()) stop();
      },
    };
  });
}

function isLiveTask(owner: Owner, tenantId: string, id: string): boolean {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(id) ?? -1;
  return state !== undefined && row >= 0 && state.stepOf(row).version.tenantId === tenantId;
}
