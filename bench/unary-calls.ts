/**
 * What a unary call costs its server, by grpc-js and by Node's HTTP/2 alone, and with requests that come by gzip, as those of the
 * published SDK do: `npm run bench:unary -- [calls] [rounds]`. Prints microseconds of the server's CPU a call, and of the
 * client's; the servers take turns.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, Metadata } from '@grpc/grpc-js';
import { AdminServiceClient, TriggerWorkflowRunRequest } from '../proto/gen/hatchet/contract/v1/workflows.ts';

const calls = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 3);
const inFlight = 500;
const here = dirname(fileURLToPath(import.meta.url));
const metadata = new Metadata();
metadata.set('authorization', `Bearer ${'t'.repeat(400)}`);
const request = TriggerWorkflowRunRequest.fromPartial({
  workflowName: 'noop',
  input: Buffer.from(JSON.stringify({ i: 1, body: 'x'.repeat(150) })),
});

interface Server {
  child: ChildProcess;
  port: number;
}

async function start(kind: string): Promise<Server> {
  const child = fork(join(here, 'unary-calls', 'server.ts'), [kind], { execArgv: ['--import', 'tsx'] });
  const [port] = await once(child, 'message');
  return { child, port: Number(port) };
}

async function cpuOf({ child }: Server): Promise<number> {
  const told = once(child, 'message');
  child.send('cpu');
  const [{ user, system }] = await told;
  return Number(user) + Number(system);
}

function ask(client: AdminServiceClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.triggerWorkflowRun(request, metadata, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function send(client: AdminServiceClient, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await ask(client);
    }),
  );
}

for (let round = 1; round <= rounds; round += 1)
  for (const kind of ['grpc-js', 'http2'])
    for (const gzip of [false, true]) {
      if (gzip && kind === 'http2') continue; // it reads no gzip
      const server = await start(kind);
      const client = new AdminServiceClient(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
        'grpc.default_compression_algorithm': gzip ? 2 : 0,
      });
      await send(client, calls / 4);
      const before = await cpuOf(server);
      const own = process.cpuUsage();
      await send(client, calls);
      const { user, system } = process.cpuUsage(own);
      const serverUs = Math.round((await cpuOf(server)) - before) / calls;
      console.log(JSON.stringify({ round, kind, gzip, serverUs, clientUs: (user + system) / calls }));
      client.close();
      server.child.disconnect();
      await once(server.child, 'exit');
    }
