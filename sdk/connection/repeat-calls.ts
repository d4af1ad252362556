import type { CallOptions, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { backoffMs, pause, type Backoff } from '../../link/backoff.ts';
import { refuseInRunner } from '../isolation/in-runner/refuse-in-runner.ts';
import { runnerLevel } from '../isolation/in-runner/runner-port.ts';
import { AnswerLostError, hasNeverLeft, isTransient, isTurnedAway } from './call-error.ts';
import type { Connection } from './connection.ts';
import type { EngineOffers } from './engine-offers.ts';
import { tlsMismatch } from './tls-mismatch.ts';

/** A unary method of a generated client, bound to it. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CallSettings {
  /** Milliseconds for one try. Default 15,000. */
  timeoutMs?: number;
  /**
   * Milliseconds in which the call is made again after a transient failure. Default 0: only where an engine that stops has not
   * taken it up. Only for calls that carry an identity, so that making them twice changes nothing.
   */
  repeatForMs?: number;
  /** The identity counts only where the engine offers that; elsewhere the call is repeated only where it has never left. */
  repeatWith?: keyof EngineOffers;
  /** More metadata. */
  headers?: Readonly<Record<string, string>>;
  /** Ends the repetition, and a call in flight. */
  signal?: AbortSignal;
}

/** How long calls that carry an identity are repeated: longer than an engine takes to restart. */
export const repeatForMs = 30_000;

/** How long any call is made again that a server has turned away: another engine takes it, or there is none. */
const turnedAwayMs = 5_000;

const backoff: Backoff = { firstMs: 100, longestMs: 3_000 };

/** Makes a unary call. @throws AnswerLostError; the ServiceError of the last try; HatchetError UNREACHABLE where TLS stands between the two */
export async function callUnary<Request, Response>(
  connection: Connection,
  method: UnaryMethod<Request, Response>,
  request: Request,
  settings: CallSettings = {},
): Promise<Response> {
  if (runnerLevel() !== undefined) await refuseInRunner('the engine');
  const startedAt = performance.now();
  const giveUpAt = startedAt + (settings.repeatForMs ?? 0);
  for (let tries = 0; ; tries += 1) {
    try {
      return await tryOnce(connection, method, request, settings);
    } catch (error) {
      if (!isTransient(error) || settings.signal?.aborted === true) throw error;
      const failedAt = performance.now();
      const mismatch = await tlsMismatch(connection, error);
      if (mismatch !== undefined) throw mismatch;
      if (settings.repeatWith !== undefined && !hasNeverLeft(error)) {
        // The word of an engine that was asked before the failure may be another one's: it is away, or was replaced.
        const offers = await connection.offers
          .ask({
            since: failedAt,
            patienceMs: giveUpAt - failedAt,
            ...(settings.signal === undefined ? {} : { signal: settings.signal }),
          })
          .catch(() => undefined);
        if (offers === undefined) throw error;
        if (!offers[settings.repeatWith]) throw new AnswerLostError('the answer was lost', { cause: error });
      }
      const wait = backoffMs(backoff, tries, Math.random());
      const until = isTurnedAway(error) ? Math.max(giveUpAt, startedAt + turnedAwayMs) : giveUpAt;
      if (performance.now() + wait > until) throw error;
      await pause(wait, settings.signal);
    }
  }
}

async function tryOnce<Request, Response>(
  connection: Connection,
  method: UnaryMethod<Request, Response>,
  request: Request,
  settings: CallSettings,
): Promise<Response> {
  const { timeoutMs = 15_000, headers, signal } = settings;
  const metadata = connection.metadata(headers);
  return await new Promise<Response>((resolve, reject) => {
    const abort = (): void => call.cancel();
    const call = method(request, metadata, { deadline: Date.now() + timeoutMs }, (error, response) => {
      signal?.removeEventListener('abort', abort);
      if (error !== null) return reject(error);
      connection.hasAnswered = true;
      return resolve(response);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
