import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { Caller } from '../../edge/access/caller.ts';
import type { Duplex } from '../edge.ts';
import { authorization, callError, originOf, settledPeerFor, welcome, type Gated } from './gated.ts';
import { passOnDuplex } from './pass-on.ts';
import { rawRequest } from './raw-message.ts';
import { StreamRequests } from './stream-requests.ts';

/** Requests that may wait while a stream's token is checked: nobody knows yet whose they are. */
const mostEarly = 1_000;

/** Both directions are open from the start: what comes before the token is checked waits. */
export function duplex(
  { edge, facts: { rule, action } }: Gated,
  begin: (
    call: ServerDuplexStream<unknown, unknown>,
    caller: Caller,
    fail: (error: unknown) => void,
    address: () => string,
  ) => Duplex<unknown>,
): handleBidiStreamingCall<unknown, unknown> {
  const { gate, replicas } = edge;
  return (call) => {
    const requests = new StreamRequests();
    let end = (): void => undefined;
    let release = (): void => undefined;
    let over = false;
    let opened = false;
    /** The client has nothing more to say. It hears of a wrong token all the same. */
    let halfClosed = false;
    const stop = (): void => {
      if (over) return;
      over = true;
      release();
      end();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      stop();
      call.emit('error', callError(error, edge.log));
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        fail(error);
      }
    };
    call.on('data', (request) => {
      guarded(() => requests.come(rawRequest(request)));
      if (requests.waiting >= mostEarly) call.pause();
    });
    call.on('cancelled', stop);
    call.on('error', stop);
    const close = (): void => {
      halfClosed = true;
      if (over || !opened) return;
      stop();
      call.end();
    };
    call.on('end', close);
    const carryOut = (identity: Caller['identity'], address: () => string): void => {
      const caller = gate.admit(identity, { rule, action, address });
      if (over) return;
      release = gate.hold(caller, fail);
      const begun = begin(call, caller, fail, address);
      end = () => begun.end();
      requests.goTo((request) => guarded(() => begun.handle(request.read())));
      opened = true;
      call.resume();
      if (halfClosed) close();
    };
    const open = async (): Promise<void> => {
      const identity = await gate.identify(authorization(call.metadata));
      welcome(edge, call);
      const origin = originOf(edge, call);
      if (over) return;
      if (replicas === undefined || (await settledPeerFor(edge, identity, origin)) === undefined)
        return carryOut(identity, origin.address);
      const forwardedFor = replicas.forwardedFor.seal(origin.address());
      const isOurs = await replicas.passOn(
        identity.tenantId,
        requests.bytes,
        (client) =>
          passOnDuplex(client, call, { path: action, forwardedFor, requests, isHalfClosed: () => halfClosed }),
        () => true,
      );
      if (over) return;
      if (isOurs === true) return carryOut(identity, origin.address);
      over = true;
      call.end();
    };
    open().catch(fail);
  };
}
