import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Pool } from 'pg';
import type { Commands } from '../../edge/parsed-commands.ts';
import { knownId } from '../../edge/parse/id.ts';
import { text } from '../../edge/parse/text.ts';
import type { Checked } from '../../model/checked.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { readSignal } from '../../monitor/durable/durable-log-reads.ts';
import {
  V1DispatcherService,
  type DurableEvent,
  type ListenForDurableEventRequest,
} from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { readDurableConditions } from './durable-conditions.ts';
import type { DurableStreamDeps } from './durable-stream.ts';
import { openDurableStream } from './open-durable-stream.ts';
import { offersMetadata } from '../offers.ts';
import type { Duplex, Edge } from '../edge.ts';
import { serve } from '../handlers.ts';
import type { GrpcService } from '../grpc-server.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface DurableDeps extends Edge, DurableStreamDeps {
  pool: Pool;
}

/** Metadata of a stream whose worker keeps a result until its code asks for it, in whatever order they come: our SDK's do, Hatchet's do not. */
const anyOrder = 'hatchet-results-in-any-order';
/** Signals that one stream waits for. */
const mostSignals = 100_000;

/** The durable side of workers: the stream of their operations, and the two calls of older SDKs. */
export function durableService(deps: DurableDeps): GrpcService {
  return serve(deps, V1DispatcherService, {
    durableTask: (call, { tenantId }, fail) => {
      call.sendMetadata(offersMetadata());
      return openDurableStream(deps, {
        tenantId,
        strict: call.metadata.get(anyOrder).length === 0,
        write: (message) => void call.write({ message }),
        fail,
      });
    },
    registerDurableEvent: async (request, { tenantId }) => {
      const conditions = readDurableConditions(request.conditions);
      await deps.owner.submit({
        kind: 'durableSignal',
        tenantId,
        taskId: knownId(request.taskId, 'UNKNOWN_RUN'),
        key: signalKey(request.signalKey),
        conditions,
      });
      return {};
    },
    listenForDurableEvent: (call, { tenantId }, fail) => listenForSignals(deps, { call, tenantId, fail }),
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function signalKey(given: string): Checked<string> {
  return text(given, 'the signal key', { least: 1 });
}

/** A signal that was satisfied before is answered at once; the same one may be asked for again after a reconnect. */
function listenForSignals(
  deps: DurableDeps,
  options: {
    call: ServerDuplexStream<ListenForDurableEventRequest, DurableEvent>;
    tenantId: TenantId;
    fail: (error: unknown) => void;
  },
): Duplex<ListenForDurableEventRequest> {
  const { call, tenantId, fail } = options;
  const stops = new Map<string, () => void>();
  return {
    handle: (request) => {
      const id = parseUuid(request.taskId);
      if (id === undefined) return;
      let told = false;
      const tell = (payload: string): void => {
        if (!told && !call.cancelled)
          call.write({ taskId: request.taskId, signalKey: request.signalKey, data: Buffer.from(payload) });
        told = true;
      };
      const key = signalKey(request.signalKey);
      const name = `${id} ${key}`;
      // Asked again, or by another tenant of the shard: nothing more is waited for.
      if (stops.size < mostSignals && isLiveTask(deps.owner, tenantId, id) && !stops.has(name))
        stops.set(name, deps.links.onSignal(id, key, tell));
      readSignal(deps.pool, { tenantId, taskId: id, key }).then((payload) => {
        if (payload !== undefined) tell(payload);
      }, fail);
    },
    end: () => {
      for (const stop of stops.values()) stop();
    },
  };
}

function isLiveTask(owner: Commands, tenantId: TenantId, id: string): boolean {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(id);
  return state !== undefined && row !== undefined && state.stepOf(row).version.tenantId === tenantId;
}
