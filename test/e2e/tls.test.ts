import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, TLSSocket, type ConnectionOptions } from 'node:tls';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EngineOptions, RunningEngine } from '../../engine/index.ts';
import { Hatchet } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { patient } from '../helpers/patient.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { startInTopology } from '../helpers/topology.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
/** For the published SDK. */
const silent = {
  debug: async () => {},
  info: async () => {},
  green: async () => {},
  warn: async () => {},
  error: async () => {},
};
const ca = readFileSync(fixture('authority'));
const own = { ca, cert: readFileSync(fixture('client')), key: readFileSync(fixture('client-key')) };
const serverFiles = { certFile: fixture('server'), keyFile: fixture('server-key') };
const database = databaseFixture();
const folder = mkdtempSync(join(tmpdir(), 'hatchet-tls-'));
const secretKeyFile = join(folder, 'secret.key');

beforeAll(() => writeFileSync(secretKeyFile, randomBytes(32).toString('base64')));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(options: EngineOptions): Promise<RunningEngine> {
  const engine = await startInTopology({
    databaseUrl: database.url,
    dataDir: mkdtempSync(join(folder, 'data-')),
    secretKeyFile,
    grpcPort: 0,
    httpPort: 0,
    logLevel: 'silent',
    ...options,
  });
  onTestFinished(() => engine.stop());
  return engine;
}

/** A handshake with a port, as far as it comes: with TLS 1.3 a server refuses a client after the client is content. */
function handshake(
  port: number,
  options: ConnectionOptions,
): Promise<{ protocol: string | null; subject: string | undefined }> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      { port, host: '127.0.0.1', ca, ALPNProtocols: ['h2', 'http/1.1'], ...options },
      () => {
        const { subject } = socket.getPeerCertificate();
        const found = { protocol: socket.getProtocol(), subject: String(subject.CN) };
        socket.on('data', () => (resolve(found), socket.destroy()));
        socket.write('GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
      },
    );
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server hung up')));
  });
}

describe.each([
  ['TLS', {}, { strategy: 'tls' }],
  [
    'mTLS',
    { clientCaFile: fixture('authority') },
    { strategy: 'mtls', certFile: fixture('client'), keyFile: fixture('client-key') },
  ],
] as const)('over %s, 1.3', (_name, server, client) => {
  it('our SDK registers, runs, waits and reads', async () => {
    const engine = await start({ tls: { ...serverFiles, ...server } });
    const hatchet = Hatchet.init({
      token: engine.token,
      tlsConfig: { ...client, caFile: fixture('authority') },
      logger: () => quiet,
    });
    onTestFinished(() => hatchet.close());
    const lower = hatchet.task({
      name: 'tls-lower',
      fn: (input: { message: string }) => ({ message: input.message.toLowerCase() }),
    });
    const worker = await hatchet.worker('tls', { workflows: [lower], handleKill: false });
    onTestFinished(() => worker.stop());
    void worker.start();
    await worker.waitUntilReady();
    const ref = await lower.runNoWait({ message: 'HI' });
    expect(await ref.result()).toEqual({ message: 'hi' });
    expect(await hatchet.runs.get(ref.workflowRunId)).toMatchObject({ run: { status: 'COMPLETED' } });
    // Its heartbeats go another way.
    await vi.waitFor(
      async () => expect((await hatchet.workers.get(worker.workerId ?? '')).status).toBe('ACTIVE'),
      patient,
    );
  });

  it('the published SDK registers, runs, waits and reads', async () => {
    const engine = await start({ tls: { ...serverFiles, ...server } });
    const files = 'certFile' in client ? { cert_file: client.certFile, key_file: client.keyFile } : {};
    const config = {
      token: engine.token,
      logger: () => silent,
      tls_config: { tls_strategy: client.strategy, ca_file: fixture('authority'), server_name: 'localhost', ...files },
    } as const;
    const hatchet = HatchetClient.init(config, undefined, { httpsAgent: new Agent(own) });
    const lower = hatchet.task({
      name: 'tls-published',
      fn: (input: { message: string }) => ({ message: input.message.toLowerCase() }),
    });
    const worker = await hatchet.worker('tls', { workflows: [lower], handleKill: false });
    onTestFinished(() => worker.stop());
    void worker.start();
    await worker.waitUntilReady();
    const ref = await hatchet.runNoWait('tls-published', { message: 'HI' }, {});
    expect(await ref.output).toEqual({ 'tls-published': { message: 'hi' } });
    expect(await hatchet.runs.get(await ref.getWorkflowRunId())).toMatchObject({ run: { status: 'COMPLETED' } });
  });
});

describe('who is let in', () => {
  it('under mTLS only clients with a certificate of the authority, on both ports', async () => {
    const engine = await start({ tls: { ...serverFiles, clientCaFile: fixture('authority') } });
    const strange = { cert: readFileSync(fixture('stranger')), key: readFileSync(fixture('stranger-key')) };
    for (const port of [engine.grpc.port, engine.http.port]) {
      await expect(handshake(port, {})).rejects.toThrow();
      await expect(handshake(port, strange)).rejects.toThrow();
    }
    await expect(handshake(engine.http.port, own)).resolves.toMatchObject({ protocol: 'TLSv1.3' });
    const hatchet = Hatchet.init({
      token: engine.token,
      tlsConfig: { strategy: 'tls', caFile: fixture('authority') },
      logger: () => quiet,
    });
    onTestFinished(() => hatchet.close());
    await expect(hatchet.runNoWait('any', {})).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('HATCHET_CLIENT_TLS_STRATEGY=mtls'),
    });
    const distrustful = Hatchet.init({
      token: engine.token,
      tlsConfig: { strategy: 'mtls', certFile: fixture('client'), keyFile: fixture('client-key') },
      logger: () => quiet,
    });
    onTestFinished(() => distrustful.close());
    await expect(distrustful.runNoWait('any', {})).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('HATCHET_CLIENT_TLS_ROOT_CA_FILE'),
    });
    await expect(hatchet.runs.get('0190a1b2-0000-7000-8000-000000000000')).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  it('TLS 1.2 only where it is allowed', async () => {
    const strict = await start({ tls: serverFiles });
    for (const port of [strict.grpc.port, strict.http.port])
      await expect(handshake(port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    await strict.stop();
    const lenient = await start({ tls: { ...serverFiles, minVersion: '1.2' } });
    await expect(handshake(lenient.http.port, { maxVersion: 'TLSv1.2' })).resolves.toMatchObject({
      protocol: 'TLSv1.2',
    });
    await expect(handshake(lenient.grpc.port, { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] })).resolves.toMatchObject(
      { protocol: 'TLSv1.2' },
    );
    await expect(handshake(lenient.http.port, {})).resolves.toMatchObject({ protocol: 'TLSv1.3' });
  });

  it('no plain text', async () => {
    const engine = await start({ tls: serverFiles });
    await expect(fetch(`http://127.0.0.1:${engine.http.port}/api/live`)).rejects.toThrow();
    const hatchet = Hatchet.init({ token: engine.token, tlsConfig: { strategy: 'none' }, logger: () => quiet });
    onTestFinished(() => hatchet.close());
    await expect(hatchet.runNoWait('any', {})).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('HATCHET_CLIENT_TLS_STRATEGY=tls'),
    });
  });
});

it('a certificate that is exchanged on disk serves new connections; one that cannot be used does not, and old connections stay', async () => {
  const files = { certFile: join(folder, 'live.pem'), keyFile: join(folder, 'live-key.pem') };
  const lay = (name: string): void => {
    copyFileSync(fixture(name), files.certFile);
    copyFileSync(fixture(`${name}-key`), files.keyFile);
  };
  lay('server');
  const engine = await start({ tls: files });
  const live = new Agent({ keepAlive: true, ca, maxSockets: 1 });
  onTestFinished(() => live.destroy());
  const get = (): Promise<[number | undefined, string]> =>
    new Promise((resolve, reject) => {
      httpsRequest({ agent: live, port: engine.http.port, host: '127.0.0.1', path: '/api/live' }, (response) => {
        const subject =
          response.socket instanceof TLSSocket ? String(response.socket.getPeerCertificate().subject.CN) : 'none';
        response.resume().on('end', () => resolve([response.statusCode, subject]));
      })
        .on('error', reject)
        .end();
    });
  expect(await get()).toEqual([200, 'server']);
  const subjects = () =>
    Promise.all(
      [engine.grpc.port, engine.http.port].map(
        async (port) => (await handshake(port, port === engine.grpc.port ? { ALPNProtocols: ['h2'] } : {})).subject,
      ),
    );
  expect(await subjects()).toEqual(['server', 'server']);
  writeFileSync(files.certFile, 'not a certificate');
  lay('renewed');
  await vi.waitFor(async () => expect(await subjects()).toEqual(['renewed', 'renewed']), patient);
  expect(await get()).toEqual([200, 'server']);
  writeFileSync(files.keyFile, readFileSync(fixture('stranger-key')));
  // The next exchange is seen after this one has been looked at.
  lay('server');
  await vi.waitFor(async () => expect(await subjects()).toEqual(['server', 'server']), patient);
});

it.each([
  ['a file that is missing', { certFile: '/nowhere/cert.pem', keyFile: fixture('server-key') }],
  ['a key of another certificate', { certFile: fixture('server'), keyFile: fixture('client-key') }],
])('%s ends the start', async (_what, tls) => {
  await expect(start({ tls })).rejects.toMatchObject({ code: 'TLS_UNUSABLE', remedy: expect.stringMatching(/\w/) });
});

describe('an address that other machines reach', () => {
  it('needs TLS, or that somebody says so', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'INSECURE_BIND',
      message: expect.stringContaining('0.0.0.0'),
      remedy: expect.stringContaining('--insecure'),
    });
    await expect(start({ host: '::' })).rejects.toMatchObject({ code: 'INSECURE_BIND' });
    await start({ host: 'localhost' });
  });
});
