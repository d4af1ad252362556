import { describe, expect, it } from 'vitest';
import { ConnectRequest, ConnectResponse } from '../../../proto/gen/hatchet/session/v1/session.ts';

/** Field 2000, a number; and field 2001, a message of two bytes. */
const later = Buffer.from([0x80, 0x7d, 0x07, 0x8a, 0x7d, 0x02, 0x08, 0x01]);

describe('a frame with fields of a later version', () => {
  it('is read without them, whoever sends it', () => {
    const request = ConnectRequest.fromPartial({ number: 7n, started: [{ taskId: 'a', attempt: 1 }] });
    const sent = Buffer.concat([later, ConnectRequest.encode(request).finish(), later]);
    expect(ConnectRequest.decode(sent)).toEqual(request);
    const response = ConnectResponse.fromPartial({ number: 8n, done: [7n] });
    const told = Buffer.concat([later, ConnectResponse.encode(response).finish(), later]);
    expect(ConnectResponse.decode(told)).toEqual(response);
  });
});
