import type { ServiceDefinition } from '@grpc/grpc-js';
import { HatchetError } from '../../base/errors.ts';

/** A request as it came. It is decoded once it is known whose it is and that it is for this engine; else its bytes go on. */
export class RawRequest {
  readonly #decode: (bytes: Buffer) => unknown;
  #bytes: Buffer | undefined;

  constructor(bytes: Buffer, decode: (bytes: Buffer) => unknown) {
    this.#bytes = bytes;
    this.#decode = decode;
  }

  /** The same method's, with these bytes. */
  again(bytes: Buffer): RawRequest {
    return new RawRequest(bytes, this.#decode);
  }

  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  /** Once: its bytes are not kept as long as the call lives. */
  take(): Buffer {
    const bytes = this.#bytes ?? Buffer.alloc(0);
    this.#bytes = undefined;
    return bytes;
  }

  /**
   * Once, as `take`. The library answers bytes that it cannot decode with INTERNAL, which is the engine's fault; these are the caller's.
   * @throws HatchetError INVALID_ARGUMENT
   */
  read(): unknown {
    try {
      return this.#decode(this.take());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new HatchetError('INVALID_ARGUMENT', `the request is no message of the method: ${reason}`, {
        remedy: 'Send what the contract of this version says.',
      });
    }
  }
}

/** What `raw` has made of a request: the library's types know of no difference between what it decodes and what a handler reads. */
export function rawRequest(value: unknown): RawRequest {
  if (value instanceof RawRequest) return value;
  throw new Error('a request was decoded before its turn: this is a bug');
}

/** An answer of another engine's, as it came. */
export class RawAnswer {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** The service with requests that are not decoded yet, and answers that may be encoded already. */
export function raw(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const requestDeserialize = (bytes: Buffer): unknown => new RawRequest(bytes, method.requestDeserialize);
      const responseSerialize = (value: unknown): Buffer =>
        value instanceof RawAnswer ? value.bytes : method.responseSerialize(value);
      return [name, { ...method, requestDeserialize, responseSerialize }];
    }),
  );
}
