import { readFileSync } from 'node:fs';
import { createSecureServer, createServer as createPlainServer, type Http2Server } from 'node:http2';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Hatchet, type ClientOptions } from '../../sdk/index.ts';
import { patient } from '../helpers/patient.ts';
import { engineForTest } from '../helpers/engine-fixture.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const identity = { cert: readFileSync(fixture('certificate')), key: readFileSync(fixture('key')) };
const token = `e30.${Buffer.from(JSON.stringify({ sub: 't', server_url: 'http://localhost:1', grpc_broadcast_address: 'localhost:1' })).toString('base64url')}.x`;

async function listen(server: Server | Http2Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function client(port: number, options: ClientOptions): Hatchet {
  const hatchet = Hatchet.init({
    token,
    hostPort: `127.0.0.1:${port}`,
    apiUrl: `http://127.0.0.1:${port}`,
    logger: () => quiet,
    ...options,
  });
  onTestFinished(() => hatchet.close());
  return hatchet;
}

describe('a client and a server of which one speaks TLS', () => {
  it.each([
    [
      'the client',
      () => createPlainServer(),
      'tls',
      /does not speak TLS, and this client does\. Set HATCHET_CLIENT_TLS_STRATEGY=none/,
    ],
    [
      'the server',
      () => createSecureServer(identity),
      'none',
      /speaks TLS, and this client does not\. Set HATCHET_CLIENT_TLS_STRATEGY=tls/,
    ],
  ] as const)('%s: calls and waits for results say so, and what to set', async (_who, server, strategy, message) => {
    const hatchet = client(await listen(server()), { tlsConfig: { strategy } });
    const failure = { code: 'UNREACHABLE', message: expect.stringMatching(message) };
    await expect(hatchet.runNoWait('any', {})).rejects.toMatchObject(failure);
    await expect(hatchet.runRef('0190a1b2-0000-7000-8000-000000000000').result()).rejects.toMatchObject(failure);
    await expect(
      hatchet.worker('any', { workflows: [hatchet.task({ name: 'any', fn: () => ({}) })] }),
    ).rejects.toMatchObject(failure);
  });

  it('is none where the server closes, as one does that is starting, nor once the engine has answered', async () => {
    const { engine } = await engineForTest('sdk-tls', { logLevel: 'error' });
    const secure = await listen(createSecureServer(identity));
    let upstream: number | undefined;
    let refused = 0;
    const sockets = new Set<Socket>();
    const port = await listen(
      createServer((socket) => {
        sockets.add(socket);
        if (upstream !== engine.grpc.port) refused += 1;
        if (upstream === undefined) return socket.destroy();
        const server = createConnection(upstream, '127.0.0.1').on('error', () => socket.destroy());
        return socket
          .on('close', () => server.destroy())
          .pipe(server)
          .pipe(socket);
      }),
    );
    const hatchet = client(port, { token: engine.token, tlsConfig: { strategy: 'none' } });
    const afterRefusals = async (): Promise<void> => {
      const before = refused;
      await vi.waitFor(() => expect(refused).toBeGreaterThan(before + 3), patient);
      upstream = engine.grpc.port;
    };
    await Promise.all([
      hatchet.worker('any', { workflows: [hatchet.task({ name: 'any', fn: () => ({}) })] }),
      afterRefusals(),
    ]);
    upstream = secure;
    for (const socket of sockets) socket.destroy();
    await Promise.all([hatchet.runNoWait('any', {}), afterRefusals()]);
  });
});
