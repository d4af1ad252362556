import { join } from 'node:path';
import { credentials, Metadata, status, type ClientReadableStream } from '@grpc/grpc-js';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  HealthCheckResponse_ServingStatus as Status,
  HealthClient,
  type HealthCheckResponse,
} from '../../proto/gen/grpc/health/v1/health.ts';
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import { startEngine } from '../../engine/index.ts';
import { methodRules } from '../../engine/edge/access/method-rules.ts';
import { descriptors } from '../../proto/gen/descriptors.ts';
import { descriptorSet } from '../../scripts/descriptors.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('health');
const clients: { close(): void }[] = [];
afterAll(() => clients.forEach((client) => client.close()));

function health(port = fixture.engine.grpc.port): HealthClient {
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  clients.push(client);
  return client;
}

function check(client: HealthClient, service: string): Promise<HealthCheckResponse> {
  return new Promise((resolve, reject) => {
    client.check({ service }, (error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

/** All statuses of a watch so far. */
function watch(
  client: HealthClient,
  service: string,
): { told: number[]; call: ClientReadableStream<HealthCheckResponse> } {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${fixture.token}`);
  const call = client.watch({ service }, metadata);
  const told: number[] = [];
  call.on('data', (response: HealthCheckResponse) => told.push(response.status));
  call.on('error', () => undefined);
  return { told, call };
}

/** The services of the table of rules, which has all that is served. */
const served = [...new Set(Object.keys(methodRules).map((path) => path.split('/')[1] ?? ''))];

describe('health', () => {
  it('is told without a token, of the engine and of each service', async () => {
    const client = health();
    for (const service of ['', ...served]) expect(await check(client, service)).toEqual({ status: Status.SERVING });
    await expect(check(client, 'no.such.Service')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('is told to those who watch, and that an engine which leaves serves no more', async () => {
    const other = await startEngine({
      databaseUrl: fixture.database.url,
      dataDir: join(fixture.folder, 'other'),
      secretKeyFile: join(fixture.dataDir, 'secret.key'),
      logLevel: 'silent',
      grpcPort: 0,
      httpPort: 0,
    });
    const [stays, leaves, none] = [
      watch(health(), ''),
      watch(health(other.grpc.port), 'hatchet.monitor.v1.MonitorService'),
      watch(health(), 'no.such.Service'),
    ];
    await vi.waitFor(() => {
      expect([stays.told, leaves.told]).toEqual([[Status.SERVING], [Status.SERVING]]);
      expect(none.told).toEqual([Status.SERVICE_UNKNOWN]);
    });
    await other.stop();
    await vi.waitFor(() => expect(leaves.told).toEqual([Status.SERVING, Status.NOT_SERVING]));
    expect(stays.told).toEqual([Status.SERVING]);
    stays.call.cancel();
    none.call.cancel();
  });
});

describe('reflection', () => {
  /** Answers to requests that are sent at once. */
  async function reflect(
    requests: readonly ServerReflectionRequest['messageRequest'][],
    token = fixture.token,
  ): Promise<ServerReflectionResponse[]> {
    const client = new ServerReflectionClient(`127.0.0.1:${fixture.engine.grpc.port}`, credentials.createInsecure());
    clients.push(client);
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const call = client.serverReflectionInfo(metadata);
    const answers: ServerReflectionResponse[] = [];
    await new Promise<void>((resolve, reject) => {
      call.on('error', reject);
      call.on('data', (answer: ServerReflectionResponse) => {
        answers.push(answer);
        if (answers.length === requests.length) resolve();
      });
      for (const messageRequest of requests) call.write({ host: 'here', messageRequest });
    });
    call.end();
    return answers;
  }

  function filesOf(answer: ServerReflectionResponse | undefined): string[] {
    const response = answer?.messageResponse;
    if (response?.$case !== 'fileDescriptorResponse') throw new Error(`no files: ${JSON.stringify(response)}`);
    return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
  }

  it('lists every service, and has the files of each, with all that they import', async () => {
    const [list] = await reflect([{ $case: 'listServices', value: '' }]);
    const response = list?.messageResponse;
    if (response?.$case !== 'listServicesResponse') throw new Error('no list');
    expect(response.value.service.map(({ name }) => name).sort()).toEqual([...served].sort());
    const answers = await reflect(
      Object.keys(methodRules).map((path) => ({
        $case: 'fileContainingSymbol' as const,
        value: path.slice(1).replace('/', '.'),
      })),
    );
    expect(answers).toHaveLength(Object.keys(methodRules).length);
    for (const [at, path] of Object.keys(methodRules).entries())
      expect(filesOf(answers[at])[0], path).toMatch(/\.proto$/);
    const [whole] = await reflect([{ $case: 'fileContainingSymbol', value: 'hatchet.monitor.v1.RunSummary' }]);
    expect(filesOf(whole).sort()).toEqual(['google/protobuf/timestamp.proto', 'hatchet/monitor/v1/monitor.proto']);
    expect(whole).toMatchObject({ validHost: 'here', originalRequest: { host: 'here' } });
  });

  it('answers in order, refuses what is not there, and goes on', async () => {
    const [missing, file, extension, numbers, nothing] = await reflect([
      { $case: 'fileContainingSymbol', value: 'no.such.Thing' },
      { $case: 'fileByFilename', value: 'grpc/health/v1/health.proto' },
      {
        $case: 'fileContainingExtension',
        value: { containingType: 'hatchet.monitor.v1.RunSummary', extensionNumber: 7 },
      },
      { $case: 'allExtensionNumbersOfType', value: 'hatchet.monitor.v1.RunSummary' },
      undefined,
    ]);
    const refused = (code: number): object => ({ $case: 'errorResponse', value: { errorCode: code } });
    expect(missing?.messageResponse).toMatchObject(refused(status.NOT_FOUND));
    expect(filesOf(file)).toEqual(['grpc/health/v1/health.proto']);
    expect(extension?.messageResponse).toMatchObject(refused(status.NOT_FOUND));
    expect(numbers?.messageResponse).toMatchObject({ value: { extensionNumber: [] } });
    expect(nothing?.messageResponse).toMatchObject(refused(status.INVALID_ARGUMENT));
  });

  it('is for those who may read', async () => {
    await expect(reflect([{ $case: 'listServices', value: '' }], 'none')).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
  });

  it('tells what the protos say', () => {
    expect(descriptors).toBe(descriptorSet());
  });
});
