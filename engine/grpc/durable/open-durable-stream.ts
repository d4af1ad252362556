import type { DurableTaskRequest } from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { Duplex } from '../edge.ts';
import { DurableStream, type DurableResponse, type DurableStreamDeps } from './durable-stream.ts';

/** A worker's durable stream, whatever carries it. */
export interface ServedDurableStream extends Duplex<DurableTaskRequest> {
  /** @param settled called once it is carried out or refused, whatever becomes of the stream */
  handle(request: DurableTaskRequest, settled?: () => void): void;
}

/**
 * Serves a durable stream. Which workers there are is known once their shard is served; what comes meanwhile keeps its order.
 * @param options strict: its worker hands results to its code strictly in the order in which they come; fail: ends the stream
 */
export function openDurableStream(
  deps: DurableStreamDeps,
  options: {
    tenantId: TenantId;
    strict: boolean;
    write: (response: DurableResponse) => void;
    fail: (error: unknown) => void;
  },
): ServedDurableStream {
  const { tenantId, strict } = options;
  let open = true;
  const fail = (error: unknown): void => {
    if (open) options.fail(error);
  };
  const stream = new DurableStream(deps, {
    tenantId,
    strict,
    write: (message) => {
      if (open) options.write(message);
    },
    fail,
  });
  const take = (request: DurableTaskRequest, settled: (() => void) | undefined): void => {
    if (!open) return settled?.();
    try {
      stream.handle(request, settled);
    } catch (error) {
      settled?.();
      fail(error);
    }
  };
  let served: Promise<unknown> | undefined =
    deps.owner.stateOf(tenantId) === undefined ? deps.owner.served(tenantId) : undefined;
  served?.then(() => (served = undefined), fail);
  return {
    handle: (request, settled) => {
      if (served === undefined) return take(request, settled);
      served.then(
        () => take(request, settled),
        () => settled?.(),
      );
    },
    end: () => {
      open = false;
      stream.end();
    },
  };
}
