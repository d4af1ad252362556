import type { ServerWritableStream } from '@grpc/grpc-js';
import type { AssignedAction, WorkerListenRequest } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { HatchetError } from '../base/errors.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Caller } from '../edge/access/caller.ts';
import type { Commands } from '../edge/parsed-commands.ts';
import { knownId } from '../edge/parse/id.ts';
import { assignedAction } from './assigned-action.ts';

/**
 * A worker's stream stays open until either side ends it. The engine's end is no OK: clients would reconnect at once, over and over.
 * Which workers there are is known once their shard is served: one that is called unknown registers anew, and what it runs
 * is started a second time.
 */
export async function holdWorkerStream(
  { owner, dispatcher }: { owner: Commands; dispatcher: Dispatcher },
  call: ServerWritableStream<WorkerListenRequest, AssignedAction>,
  { tenantId }: Caller,
  signal: AbortSignal,
): Promise<void> {
  const workerId = knownId(call.request.workerId, 'UNKNOWN_WORKER');
  await owner.served(tenantId);
  if (signal.aborted) return;
  await new Promise<void>((resolve, reject) => {
    const detach = dispatcher.attach(tenantId, workerId, {
      send: (message) => call.write(assignedAction(message)),
      close: () => reject(new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Reconnect in a moment.' })),
    });
    signal.addEventListener('abort', () => {
      detach();
      resolve();
    });
  });
}
