/**
 * The server of `bench/unary-calls.ts`: answers one call of Hatchet's contract, by grpc-js or by Node's HTTP/2 alone. What it does
 * with a call is the same for both: the token's header is read, the request is decoded, the answer is encoded.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import {
  AdminServiceService,
  type TriggerWorkflowRunRequest,
  type TriggerWorkflowRunResponse,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';

const method = AdminServiceService.triggerWorkflowRun;

function answer(request: TriggerWorkflowRunRequest, authorization: unknown): TriggerWorkflowRunResponse {
  if (typeof authorization !== 'string') throw new Error('the call carries no token');
  return { externalId: `${request.workflowName}-0b8e6f0c-2d5c-4b8f-9a55-0a55d6c5f0aa` };
}

async function serveByGrpcJs(): Promise<number> {
  const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_concurrent_streams': 10_000 });
  server.addService(
    { triggerWorkflowRun: method },
    {
      triggerWorkflowRun: (
        call: { request: TriggerWorkflowRunRequest; metadata: { get(key: string): unknown[] } },
        callback: sendUnaryData<TriggerWorkflowRunResponse>,
      ) => callback(null, answer(call.request, call.metadata.get('authorization')[0])),
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

const trailersAfter = { waitForTrailers: true };
const head = { ':status': 200, 'content-type': 'application/grpc+proto' };
const trailers = { 'grpc-status': '0' };

function sendTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(trailers);
}

async function serveByHttp2(): Promise<number> {
  const server = createServer({ settings: { maxConcurrentStreams: 10_000 } });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const [first = Buffer.alloc(0)] = chunks;
      const framed = chunks.length === 1 ? first : Buffer.concat(chunks);
      const response = answer(method.requestDeserialize(framed.subarray(5)), headers.authorization);
      const bytes = method.responseSerialize(response);
      const message = Buffer.allocUnsafe(bytes.length + 5);
      message.writeUInt8(0, 0);
      message.writeUInt32BE(bytes.length, 1);
      bytes.copy(message, 5);
      stream.respond(head, trailersAfter);
      stream.on('wantTrailers', sendTrailers);
      stream.end(message);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send?.(await (process.argv[2] === 'http2' ? serveByHttp2() : serveByGrpcJs()));
