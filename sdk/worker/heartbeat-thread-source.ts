/**
 * The program of the heartbeat thread. It is a text, not a module: a thread needs a file of its own or a text, and a
 * file would be lost where a project bundles this package. It speaks HTTP/2 by itself, so that it loads nothing:
 * one message, `HeartbeatRequest{1: worker_id, 2: Timestamp{1: seconds, 2: nanos}}`, framed as gRPC does.
 * `workerData`: {origin, token, intervalMs, tls, workerId}; it posts {code, message} for each beat.
 */
export const heartbeatSource = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const http2 = require('node:http2');
let { workerId } = workerData;
let session;
let pending = 0;

function connect() {
  if (session !== undefined && !session.closed && !session.destroyed) return session;
  session = http2.connect(workerData.origin, workerData.tls);
  session.on('error', () => {});
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

function frame() {
  const now = Date.now();
  const time = Buffer.concat([varint(8), varint(Math.floor(now / 1000)), varint(16), varint((now % 1000) * 1000000)]);
  const message = Buffer.concat([field(1, Buffer.from(workerId)), field(2, time)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function beat() {
  if (pending > 0 && session !== undefined) {
    session.destroy();
    session = undefined;
  }
  pending += 1;
  let answered = false;
  const answer = (code, message) => {
    if (answered) return;
    answered = true;
    pending -= 1;
    parentPort.postMessage({ code, message, workerId: sent });
  };
  const sent = workerId;
  let request;
  try {
    request = connect().request({
      ':method': 'POST',
      ':path': '/Dispatcher/Heartbeat',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'bearer ' + workerData.token,
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
  request.end(frame());
}

parentPort.on('message', (message) => {
  workerId = message.workerId;
  beat();
});
setInterval(beat, workerData.intervalMs);
beat();
`;
