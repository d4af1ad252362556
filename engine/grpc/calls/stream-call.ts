import { status, type handleServerStreamingCall, type ServerWritableStream } from '@grpc/grpc-js';
import type { HatchetError } from '../../base/errors.ts';
import { isMovedAway } from '../../base/not-owner.ts';
import { noCaller, type Caller } from '../../edge/access/caller.ts';
import { authorization, callError, originOf, settledPeerFor, welcome, type Gated, type Origin } from './gated.ts';
import { NotOfferedError, type EngineLink } from '../../../link/engine-link.ts';
import { passOnStream, PeerError, refusedByOwner } from './pass-on.ts';
import { rawRequest } from './raw-message.ts';

/** As an edge passes a stream on by its link to the owner. */
export type LinkedStream = (
  call: ServerWritableStream<unknown, unknown>,
  linked: { link: EngineLink; caller: Caller },
  signal: AbortSignal,
) => Promise<void>;

/** A server stream. The signal aborts when the client goes; a handler that returns ends the stream with OK. @param byLink in an edge, where the owner is asked by a link */
export function serverStream(
  { edge, facts: { rule, action } }: Gated,
  handle: (call: ServerWritableStream<unknown, unknown>, caller: Caller, signal: AbortSignal) => Promise<void>,
  byLink?: LinkedStream,
): handleServerStreamingCall<unknown, unknown> {
  const { gate, replicas, ownerLinks } = edge;
  return (call) => {
    const raw = rawRequest(call.request);
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    // Its client begins it again at once, on a new connection: to another engine.
    const leave = (): void => gone.abort();
    if (rule.beginsAgain === true) replicas?.leaving.addEventListener('abort', leave);
    /** @returns whether another engine had it, until its end */
    const elsewhere = async ({ tenantId }: Caller['identity'], origin: Origin, bytes: Buffer): Promise<boolean> => {
      if (replicas === undefined) return false;
      const passage = { path: action, forwardedFor: replicas.forwardedFor.seal(origin.address()), bytes };
      const isOurs = await replicas.passOn(
        tenantId,
        bytes.length,
        (client) => passOnStream(client, call, { ...passage, signal: gone.signal }),
        () => true,
      );
      return isOurs !== true;
    };
    const here = async (
      identity: Caller['identity'],
      origin: Origin,
      { bytes, work }: { bytes: Buffer; work: typeof handle },
    ): Promise<void> => {
      const caller = gate.admit(identity, { rule, action, address: origin.address });
      if (gone.signal.aborted) return;
      let ended: HatchetError | undefined;
      const over = new AbortController();
      const release = gate.hold(caller, (error) => {
        ended = error;
        over.abort();
      });
      try {
        call.request = raw.again(bytes).read();
        await work(call, caller, AbortSignal.any([gone.signal, over.signal]));
      } catch (error) {
        throw ended ?? error;
      } finally {
        release();
      }
      if (ended !== undefined) throw ended;
    };
    const ask: typeof handle = async (_, caller, signal) => {
      const link = ownerLinks?.of(authorization(call.metadata) ?? '', caller.tenantId);
      if (link === undefined || link.isOffered === false) throw new NotOfferedError();
      await byLink?.(call, { link, caller }, signal);
    };
    const run = async (): Promise<void> => {
      if (rule.needs === 'anyone') {
        call.request = raw.read();
        return handle(call, noCaller, gone.signal);
      }
      const identity = await gate.identify(authorization(call.metadata));
      welcome(edge, call);
      const origin = originOf(edge, call);
      const bytes = raw.take();
      let isByLink = ownerLinks !== undefined && byLink !== undefined;
      for (;;) {
        try {
          if (isByLink) return await here(identity, origin, { bytes, work: ask });
          const isElsewhere = (await settledPeerFor(edge, identity, origin)) !== undefined;
          if (isElsewhere && (await elsewhere(identity, origin, bytes))) return;
          return await here(identity, origin, { bytes, work: handle });
        } catch (error) {
          if (gone.signal.aborted) return;
          if (error instanceof NotOfferedError) {
            isByLink = false;
            continue;
          }
          const beginsAgain = rule.beginsAgain === true && !origin.isForwarded;
          if (!beginsAgain || !isHandedOver(error)) throw error;
        }
      }
    };
    run()
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', callError(refusedByOwner(error), edge.log)),
      )
      .finally(() => replicas?.leaving.removeEventListener('abort', leave));
  };
}

/** Another engine has the shard, or is about to have it: the one that had it said so, or is gone. */
function isHandedOver(error: unknown): boolean {
  return isMovedAway(error) || (error instanceof PeerError && error.code === status.UNAVAILABLE);
}
