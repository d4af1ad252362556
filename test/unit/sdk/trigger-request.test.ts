import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BulkTriggerIdempotencyCollisionError as WireBulk,
  IdempotencyCollisionError as WireCollision,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { backoffMs } from '../../../link/backoff.ts';
import { collisionOf } from '../../../sdk/run/collision.ts';
import { chunks, inputJson, triggerRequest } from '../../../sdk/run/trigger-request.ts';

const facts = {
  name: 'Simple',
  namespace: 'dev_',
  input: '{"a":1}',
  options: {},
  parent: undefined,
  childIndex: undefined,
};

describe('triggerRequest', () => {
  it('is plain without a parent', () => {
    const options = { additionalMetadata: { k: 'v' }, priority: 2, childKey: 'key', sticky: true } as const;
    expect(triggerRequest({ ...facts, options })).toEqual({
      name: 'dev_simple',
      input: '{"a":1}',
      additionalMetadata: '{"k":"v"}',
      priority: 2,
      desiredWorkerLabels: {},
    });
  });

  it('names the parent of a child', () => {
    const parent = {
      workflowRunId: 'run',
      taskRunExternalId: 'task',
      workerId: 'worker',
      signal: new AbortController().signal,
      nextChildIndex: 4,
    };
    expect(
      triggerRequest({ ...facts, parent, childIndex: 3, options: { childKey: 'key', sticky: true } }),
    ).toMatchObject({
      parentId: 'run',
      parentTaskRunExternalId: 'task',
      childIndex: 3,
      childKey: 'key',
      desiredWorkerId: 'worker',
    });
  });

  it('has an empty object where there is no input', () => {
    expect(inputJson('simple', undefined)).toBe('{}');
  });

  it('refuses what cannot be sent', () => {
    expect(() => inputJson('simple', { n: 1n })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => inputJson('simple', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => inputJson('simple', { text: 'é'.repeat(3 * 1024 * 1024) })).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', message: expect.stringContaining('6291467') }),
    );
  });
});

describe('chunks', () => {
  it('keeps everything in order, within both limits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50)),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 100 }),
        (sizes, most, bytes) => {
          const groups = chunks(sizes, most, bytes, (size) => size);
          expect(groups.flat()).toEqual(sizes);
          for (const group of groups) {
            expect(group.length).toBeGreaterThan(0);
            expect(group.length).toBeLessThanOrEqual(most);
            if (group.length > 1) expect(group.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes);
          }
        },
      ),
    );
  });
});

describe('collisionOf', () => {
  function error(typeUrl: string, value: Uint8Array): Error {
    const any = new BinaryWriter().uint32(10).string(typeUrl).uint32(18).bytes(value).finish();
    const rpcStatus = new BinaryWriter().uint32(8).int32(6).uint32(18).string('exists').uint32(26).bytes(any).finish();
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(rpcStatus));
    return Object.assign(new Error('exists'), { code: status.ALREADY_EXISTS, details: 'exists', metadata });
  }

  it('reads which run exists', () => {
    const value = WireCollision.encode({ existingRunExternalId: 'old', collidingRunExternalId: 'new' }).finish();
    expect(collisionOf(error('type.googleapis.com/v1.IdempotencyCollisionError', value))).toMatchObject({
      code: 'IDEMPOTENCY_COLLISION',
      existingRunExternalId: 'old',
    });
  });

  it('reads which runs of a bulk call were created', () => {
    const value = WireBulk.encode({
      successfulWorkflowRunExternalIds: ['a', 'b'],
      collisions: [{ existingRunExternalId: 'old', collidingRunExternalId: 'c' }],
    }).finish();
    expect(collisionOf(error('type.googleapis.com/v1.BulkTriggerIdempotencyCollisionError', value))).toMatchObject({
      successfulWorkflowRunExternalIds: ['a', 'b'],
      collisions: [{ existingRunExternalId: 'old' }],
    });
  });

  it('leaves other errors alone', () => {
    expect(collisionOf(new Error('x'))).toBeUndefined();
    expect(
      collisionOf(Object.assign(new Error('x'), { code: status.NOT_FOUND, details: '', metadata: new Metadata() })),
    ).toBeUndefined();
  });
});

describe('backoffMs', () => {
  it('grows to its longest, and is never less than half', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (tries, chance) => {
        const ms = backoffMs({ firstMs: 100, longestMs: 5_000 }, tries, chance);
        const full = Math.min(5_000, 100 * 2 ** tries);
        expect(ms).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(ms).toBeLessThanOrEqual(full);
      }),
    );
  });
});
