import { constants } from 'node:http2';

/** Which calls lie behind one another in grpc-js: of the handler, of interceptors, and last the HTTP/2 stream's own. */
const inner = ['call', 'nextCall'] as const;

/**
 * Resets a call's HTTP/2 stream, and with it frees what its client does not read: to end the call would wait behind that.
 * grpc-js has no public way, so this looks for the stream by its shape; a test tells when it is no longer there.
 */
export function hangUp(call: unknown): boolean {
  for (let at: unknown = call; isObject(at);) {
    const stream: unknown = Reflect.get(at, 'stream');
    if (isObject(stream) && 'close' in stream && typeof stream.close === 'function' && 'rstCode' in stream) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return true;
    }
    const holder: object = at;
    const name = inner.find((each) => isObject(Reflect.get(holder, each)));
    at = name === undefined ? undefined : Reflect.get(holder, name);
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
