import { status } from '@grpc/grpc-js';
import type { ClientConfig } from '../../../sdk/config/client-config.ts';
import { callRest, type RestMethod, type RestQuery, type RestRequest } from '../../../sdk/connection/rest.ts';
import { HatchetError, type HatchetErrorCode } from '../../../sdk/errors.ts';
import { ServerError } from '../../output/server-error.ts';

const statuses: Partial<Record<HatchetErrorCode, status>> = {
  UNREACHABLE: status.UNAVAILABLE,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  UNKNOWN_RUN: status.NOT_FOUND,
  UNKNOWN_WORKFLOW: status.NOT_FOUND,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  ENGINE_ERROR: status.INTERNAL,
};

/** The REST API of one tenant, with errors in the words that readers of both kinds share. */
export class RestClient {
  readonly #config: ClientConfig;

  constructor(config: ClientConfig) {
    this.#config = config;
  }

  /** @param path in which `:tenant` stands for the tenant. @throws ServerError */
  async get<Answer>(path: string, query: RestQuery = {}): Promise<Answer> {
    return this.#call<Answer>('GET', path, { query });
  }

  /** @throws ServerError */
  async post<Answer>(path: string, body?: object): Promise<Answer> {
    return this.#call<Answer>('POST', path, { body });
  }

  async #call<Answer>(method: RestMethod, path: string, request: RestRequest): Promise<Answer> {
    try {
      return await callRest<Answer>(this.#config, method, path.replace(':tenant', this.#config.tenantId), request);
    } catch (error) {
      if (!(error instanceof HatchetError)) throw error;
      throw new ServerError(withoutRemedy(error), {
        status: statuses[error.code] ?? status.FAILED_PRECONDITION,
        remedy: error.remedy,
        cause: error,
      });
    }
  }
}

/** The SDK has it in the message too. */
function withoutRemedy({ message, remedy }: HatchetError): string {
  return remedy !== undefined && message.endsWith(`. ${remedy}`) ? message.slice(0, -remedy.length - 2) : message;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ServerError && error.status === status.NOT_FOUND;
}

/** @throws ServerError, of an id that is of no run */
export function unknownRun(id: string, cause?: unknown): ServerError {
  return new ServerError(`there is no run ${JSON.stringify(id)}`, {
    status: status.NOT_FOUND,
    remedy: 'Check the id.',
    cause,
  });
}
