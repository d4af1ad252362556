/**
 * The program of the heartbeat thread. It is a text, not a module: a thread needs a file of its own or a text, and a
 * file would be lost where a project bundles this package. It speaks HTTP/2 by itself, so that it loads nothing:
 * one message, `HeartbeatRequest{1: worker_id, 2: Timestamp{1: seconds, 2: nanos}}`, framed as gRPC does.
 * It is told {id, beat: {origin, token, intervalMs, tls, workerId}} to beat for a worker, {id, workerId} when that has another id,
 * and {id} to end; it posts {id, code, message, workerId} for each beat. Workers of one engine share a connection.
 */
export const heartbeatSource = `
'use strict';
const { parentPort } = require('node:worker_threads');
const http2 = require('node:http2');
const beats = new Map();
const sessions = new Map();

function connect({ origin, tls, key }) {
  let session = sessions.get(key);
  if (session !== undefined && !session.closed && !session.destroyed) return session;
  session = http2.connect(origin, tls);
  session.on('error', () => {});
  session.on('close', () => {
    if (sessions.get(key) === session) sessions.delete(key);
  });
  sessions.set(key, session);
  return session;
}

function varint(value) {
  const bytes = [];
  while (value >= 128) {
    bytes.push((value % 128) + 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
  return Buffer.from(bytes);
}

function field(number, bytes) {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function frame(workerId) {
  const now = Date.now();
  const time = Buffer.concat([varint(8), varint(Math.floor(now / 1000)), varint(16), varint((now % 1000) * 1000000)]);
  const message = Buffer.concat([field(1, Buffer.from(workerId)), field(2, time)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function send(id, beat) {
  // The one before it has no answer yet: the connection may be one of which nobody has heard the end.
  if (beat.pending > 0 && beat.session !== undefined) beat.session.destroy();
  beat.pending += 1;
  let answered = false;
  const sent = beat.workerId;
  const answer = (code, message) => {
    if (answered) return;
    answered = true;
    beat.pending -= 1;
    parentPort.postMessage({ id, code, message, workerId: sent });
  };
  let request;
  try {
    beat.session = connect(beat);
    request = beat.session.request({
      ':method': 'POST',
      ':path': '/Dispatcher/Heartbeat',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'bearer ' + beat.token,
    });
  } catch (error) {
    answer(14, String(error));
    return;
  }
  const read = (headers) => {
    if (headers['grpc-status'] !== undefined) answer(Number(headers['grpc-status']), decodeURIComponent(String(headers['grpc-message'] || '')));
  };
  request.on('response', read);
  request.on('trailers', read);
  request.on('data', () => {});
  request.on('error', (error) => answer(14, error.message));
  request.on('close', () => answer(14, 'the connection closed'));
  request.end(frame(sent));
}

parentPort.on('message', ({ id, beat, workerId }) => {
  if (beat !== undefined) {
    beats.set(id, {
      ...beat,
      key: JSON.stringify([beat.origin, beat.tls]),
      pending: 0,
      session: undefined,
      timer: setInterval(() => send(id, beats.get(id)), beat.intervalMs),
    });
  } else if (workerId === undefined) {
    clearInterval(beats.get(id)?.timer);
    beats.delete(id);
    return;
  } else if (beats.has(id)) beats.get(id).workerId = workerId;
  else return;
  send(id, beats.get(id));
});
`;
