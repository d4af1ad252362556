import { Metadata, type Client, type handleUnaryCall } from '@grpc/grpc-js';
import { isMovedAway } from '../../base/not-owner.ts';
import { noCaller, type Caller } from '../../edge/access/caller.ts';
import type { CallFacts } from '../../edge/access/gate.ts';
import { longestInline } from '../../model/limits.ts';
import { Held } from '../../monitor/budget/answers-in-flight.ts';
import { Headed } from '../edge.ts';
import { releaseOnceSent } from '../send-message.ts';
import { authorization, callError, originOf, peerFor, welcome, type Gated, type Origin } from './gated.ts';
import { NotOfferedError } from '../../../link/engine-link.ts';
import type { LinkedCall } from '../by-link/linked-calls.ts';
import type { LinksToOwners } from '../by-link/links-to-owners.ts';
import { passOnUnary, refusedByOwner } from './pass-on.ts';
import type { RawAnswer, RawRequest } from './raw-message.ts';

/** As an edge passes a call on by its link to the owner. */
export type LinkedUnary<Res> = (request: unknown, linked: LinkedCall) => Promise<Res>;

/**
 * A unary call. The commonest of all: known tokens cost it no promise.
 * @param options.encode for a request that was decoded, and is for another engine after all
 * @param options.byLink in an edge, where the owner is asked by a link
 */
export function unary<Res>(
  { edge, facts: { rule, action } }: Gated,
  handle: (request: unknown, caller: Caller, metadata: Metadata) => Promise<Res | Held<Res> | Headed<Res>>,
  { encode, byLink }: { encode: (request: unknown) => Buffer; byLink?: LinkedUnary<Res> | undefined },
): handleUnaryCall<RawRequest, Res | RawAnswer> {
  const { gate, log, replicas, ownerLinks } = edge;
  return (call, end) => {
    const fail = (error: unknown): void => end(callError(error, log));
    const reply = (response: Res | RawAnswer, head?: Metadata): void => {
      if (!edge.takesCompressed) call.sendMetadata(plainMessagesOnly(head));
      else if (head !== undefined) call.sendMetadata(head);
      end(null, response);
    };
    const answer = (response: Res | Held<Res> | Headed<Res>): void => {
      if (response instanceof Headed) return reply(response.value, response.metadata);
      if (!(response instanceof Held)) return reply(response);
      releaseOnceSent(call, response.reservation);
      reply(response.value);
    };
    /** An answer that cannot be given keeps no room. */
    const drop = (response: Res | Held<Res> | Headed<Res>, error: unknown): void => {
      if (response instanceof Held) response.reservation.release();
      fail(error);
    };
    const run = (identity: Caller['identity'], request: RawRequest): void => {
      welcome(edge, call);
      const origin = originOf(edge, call);
      if (ownerLinks !== undefined && byLink !== undefined) return ask(ownerLinks, identity, origin);
      if (peerFor(edge, identity, origin) !== undefined) return passOn(identity, origin, request.take());
      const caller = gate.admit(identity, { rule, action, address: origin.address });
      if (request.length <= longestInline) return carryOut(request.read(), caller, origin);
      edge.turns.take(caller.tenantId, () => {
        try {
          if (!call.cancelled) carryOut(request.read(), caller, origin);
        } catch (error) {
          fail(error);
        }
      });
    };
    const ask = (to: LinksToOwners, identity: Caller['identity'], origin: Origin): void => {
      const facts: CallFacts = { rule, action, address: origin.address };
      const { request: given, metadata } = call;
      const caller = gate.admit(identity, facts);
      const { length } = given;
      const request = given.read();
      const link = to.of(authorization(metadata) ?? '', identity.tenantId);
      // Once nothing more can throw before the call is on its way: what is not left again is gone for good.
      const leave = to.enter(length);
      byLink?.(request, { link, caller, metadata }).then(
        (response) => {
          leave();
          void gate.note(caller, facts);
          reply(response);
        },
        (error: unknown) => {
          leave();
          if (error instanceof NotOfferedError) return passOn(identity, origin, encode(request));
          const refusal = refusedByOwner(error);
          void gate.note(caller, facts, refusal);
          fail(refusal);
        },
      );
    };
    const carryOut = (request: unknown, caller: Caller, origin: Origin): void => {
      const facts: CallFacts = { rule, action, address: origin.address };
      handle(request, caller, call.metadata).then(
        (response) => {
          try {
            const noted = gate.note(caller, facts);
            if (noted === undefined) answer(response);
            else noted.then(() => answer(response)).catch((error: unknown) => drop(response, error));
          } catch (error) {
            drop(response, error);
          }
        },
        (error: unknown) => {
          if (!origin.isForwarded && replicas !== undefined && isMovedAway(error))
            return passOn(caller.identity, origin, encode(request));
          void gate.note(caller, facts, error);
          fail(error);
        },
      );
    };
    const passOn = (identity: Caller['identity'], { address }: Origin, bytes: Buffer): void => {
      if (replicas === undefined) return;
      const passage = { path: action, forwardedFor: replicas.forwardedFor.seal(address()), bytes };
      const send = (client: Client): ReturnType<typeof passOnUnary> => passOnUnary(client, call, passage);
      const here = (): void => run(identity, call.request.again(bytes));
      replicas.passOn(identity.tenantId, bytes.length, send, here).then((sent) => {
        if (sent !== undefined) reply(sent);
      }, fail);
    };
    try {
      if (rule.needs === 'anyone') {
        handle(call.request.read(), noCaller, call.metadata).then(answer, fail);
        return;
      }
      const identity = gate.identify(authorization(call.metadata));
      if (identity instanceof Promise) identity.then((known) => run(known, call.request)).catch(fail);
      else run(identity, call.request);
    } catch (error) {
      fail(error);
    }
  };
}

/**
 * Initial metadata by which a client's library ceases to compress what it sends on the same connection: it keeps to what the server says
 * that it takes. A message of a few hundred bytes costs grpc-js at either end a zlib stream of its own, more than the rest of the call.
 */
function plainMessagesOnly(head = new Metadata()): Metadata {
  head.set('grpc-accept-encoding', 'identity');
  return head;
}
