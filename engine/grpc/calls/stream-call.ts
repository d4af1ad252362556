import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import type { HatchetError } from '../../base/errors.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { authorization, callError, originOf, settledPeerFor, welcome, type Gated } from './gated.ts';
import { passOnStream } from './pass-on.ts';
import { rawRequest } from './raw-message.ts';

/** A server stream. The signal aborts when the client goes; a handler that returns ends the stream with OK. */
export function serverStream(
  { edge, facts: { rule, action } }: Gated,
  handle: (call: ServerWritableStream<unknown, unknown>, caller: Caller, signal: AbortSignal) => Promise<void>,
): handleServerStreamingCall<unknown, unknown> {
  const { gate, replicas } = edge;
  return (call) => {
    const gone = new AbortController();
    let request = rawRequest(call.request);
    let ended: HatchetError | undefined;
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    const run = async (): Promise<void> => {
      const identity = await gate.identify(authorization(call.metadata));
      welcome(edge, call);
      const origin = originOf(edge, call);
      if (replicas !== undefined && (await settledPeerFor(edge, identity, origin)) !== undefined) {
        const bytes = request.take();
        const passage = { path: action, forwardedFor: replicas.forwardedFor.seal(origin.address()), bytes };
        const isOurs = await replicas.passOn(
          identity.tenantId,
          (client) => passOnStream(client, call, passage),
          () => true,
        );
        if (isOurs !== true) return;
        request = request.again(bytes);
      }
      const caller = gate.admit(identity, { rule, action, address: origin.address });
      if (gone.signal.aborted) return;
      const release = gate.hold(caller, (error) => {
        ended = error;
        gone.abort();
      });
      try {
        call.request = request.read();
        await handle(call, caller, gone.signal);
      } finally {
        release();
      }
      if (ended !== undefined) throw ended;
    };
    run().then(
      () => call.end(),
      (error: unknown) => call.emit('error', callError(ended ?? error, edge.log)),
    );
  };
}
