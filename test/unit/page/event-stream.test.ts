import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamParser } from '../../../page/data/event-stream.ts';
import { refusalOf, refusalOfStream } from '../../../page/data/refusal.ts';

const stream =
  ': kept alive\n\ndata: {"a":1}\n\ndata: two\ndata: lines\n\nevent: error\r\ndata: {}\r\n\r\nevent: end\ndata: {}\n\n';
const messages = [
  { event: 'message', data: '{"a":1}' },
  { event: 'message', data: 'two\nlines' },
  { event: 'error', data: '{}' },
  { event: 'end', data: '{}' },
];

describe('EventStreamParser', () => {
  it('reads messages, however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const parser = new EventStreamParser();
        const ends = [...new Set([0, ...cuts, stream.length])].sort((a, b) => a - b);
        const read = ends.slice(1).flatMap((end, index) => parser.push(stream.slice(ends[index], end)));
        expect(read).toEqual(messages);
      }),
    );
  });
});

describe('refusalOf', () => {
  it('says what the engine said, as a sentence', () => {
    const refusal = refusalOf(
      404,
      '{"errors":[{"code":"UNKNOWN_RUN","description":"there is no run \\"x\\". Check the id."}]}',
    );
    expect(refusal.message).toBe('There is no run "x". Check the id.');
    expect([refusal.code, refusal.status, refusal.mayPass]).toEqual(['UNKNOWN_RUN', 404, false]);
  });

  it('takes an answer that is not the engine’s', () => {
    expect(refusalOf(502, '<html>').message).toContain('502');
    expect(refusalOf(502, '<html>').mayPass).toBe(true);
    expect(refusalOf(501, '{}').mayPass).toBe(false);
  });

  it('tells an end of a stream that may pass from one that will not', () => {
    expect(refusalOfStream('{"code":"STOPPING","description":"the engine stops"}').mayPass).toBe(true);
    expect(refusalOfStream('{"code":"UNKNOWN_RUN","description":"no"}').mayPass).toBe(false);
    expect(refusalOfStream('{"code":"UNAUTHENTICATED","description":"no"}').status).toBe(401);
  });
});
