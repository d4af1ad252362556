import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { DurableTaskRequest, DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { Connection } from '../connection/connection.ts';
import { contractOnly, offersIn, offersOf, type EngineOffers } from '../connection/engine-offers.ts';
import type { DurableMessage, DurableRequest } from './unanswered-requests.ts';

/** What carries a worker's durable operations. */
export interface OperationStream {
  /** What the engine behind the stream has beyond the contract, once it has said something. */
  readonly offers: EngineOffers;
  send(message: DurableRequest): void;
  /** Nothing more is told of it. */
  end(): void;
}

export interface StreamListener {
  onMessage(message: DurableMessage): void;
  /** Nothing is lost, but what is said now may wait for long. */
  onCut(): void;
  onResumed(): void;
  /** Of what was sent and is not answered nobody knows. */
  onLost(error: unknown): void;
}

/** Opens a stream: by the link where the engine carries such streams by it, by the contract's call elsewhere. */
export function openOperations(connection: Connection, workerId: string, listener: StreamListener): OperationStream {
  return connection.link.carriesDurable === false
    ? openByContract(connection, listener)
    : openByLink(connection, workerId, listener);
}

function openByLink({ link }: Connection, workerId: string, listener: StreamListener): OperationStream {
  const stream = link.openDurable(workerId, {
    onMessage: (message) => listener.onMessage(message),
    onCut: () => listener.onCut(),
    onResumed: () => listener.onResumed(),
    onEnded: (error) => listener.onLost(error),
  });
  return {
    get offers() {
      return offersIn(link.offers ?? '');
    },
    send: (message) => stream.send(message),
    end: () => stream.end(),
  };
}

function openByContract(connection: Connection, listener: StreamListener): OperationStream {
  const stream = connection.durable.durableTask(connection.metadata({ 'hatchet-results-in-any-order': '1' }));
  let offers = contractOnly;
  stream.on('metadata', (metadata) => (offers = offersOf(metadata)));
  stream.on('data', ({ message }: DurableTaskResponse) => {
    if (message !== undefined) listener.onMessage(message);
  });
  const lost = (error: Error | undefined): void => {
    discard(stream);
    listener.onLost(error);
  };
  stream.on('error', lost);
  stream.on('end', () => lost(undefined));
  return {
    get offers() {
      return offers;
    },
    send: (message) => void stream.write({ message }),
    end: () => discard(stream),
  };
}

/** A cancelled call still reports its end as an error, to which nobody listens any more. */
function discard(stream: ClientDuplexStream<DurableTaskRequest, DurableTaskResponse>): void {
  stream.removeAllListeners();
  stream.on('error', () => {});
  stream.cancel();
}
