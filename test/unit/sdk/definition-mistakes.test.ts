import { describe, expect, it } from 'vitest';
import { ConcurrencyLimitStrategy, RateLimitDuration } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { toRegistration } from '../../../sdk/definition/registration.ts';
import { Hatchet, type TaskOptions } from '../../../sdk/index.ts';
import { wireLabels } from '../../../sdk/run/trigger-request.ts';
import { checkRunnables } from '../../../sdk/worker/check-runnable.ts';

const claims = Buffer.from(
  JSON.stringify({ sub: 't', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: '127.0.0.1:2' }),
).toString('base64url');
const hatchet = Hatchet.init({ token: `a.${claims}.b`, logLevel: 'OFF' });
const fn = (): void => {};

describe('names of enums', () => {
  it('mean their values', () => {
    const byName = hatchet.task({
      name: 'a',
      fn,
      concurrency: { expression: 'input.a', limitStrategy: 'GROUP_ROUND_ROBIN' },
      rateLimits: [{ staticKey: 'k', units: 1, duration: 'HOUR' }],
    });
    const byValue = hatchet.task({
      name: 'a',
      fn,
      concurrency: { expression: 'input.a', limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
      rateLimits: [{ staticKey: 'k', units: 1, duration: RateLimitDuration.HOUR }],
    });
    expect(toRegistration(byName.definition, '', undefined)).toEqual(toRegistration(byValue.definition, '', undefined));
    expect(wireLabels({ cores: { value: 1, comparator: 'GREATER_THAN' } })).toMatchObject({ cores: { comparator: 2 } });
  });

  it('are refused with those that there are', () => {
    const options: TaskOptions<object, object, void> = JSON.parse(
      '{"name":"a","concurrency":{"expression":"input.a","limitStrategy":"ROUND_ROBIN"}}',
    );
    const { definition } = hatchet.task({ ...options, fn });
    expect(() => toRegistration(definition, '', undefined)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: expect.stringMatching(
          /^concurrency\.limitStrategy of the workflow a is "ROUND_ROBIN"\. Use one of CANCEL_IN_PROGRESS, .*GROUP_ROUND_ROBIN/,
        ),
      }),
    );
  });
});

describe('workflows of a worker', () => {
  const flow = hatchet.workflow({ name: 'flow' });
  const step = flow.task({ name: 'first', fn });

  it.each<[string, unknown, RegExp]>([
    [
      'a function',
      fn,
      /^workflows\[1\] of the worker w is neither a task nor a workflow: it is the function fn\. Give what hatchet\.task made/,
    ],
    ['nothing', undefined, /it is undefined\. Check the import/],
    ['a name', 'simple', /it is simple\. Give what hatchet\.task,/],
    ['a task of a workflow', step, /it is the task first of a workflow\. Give the workflow/],
    ['a promise', Promise.resolve(flow), /it is Promise [^]*\. Await it first/],
    ['a task of the official SDK', { name: 'a', definition: { _tasks: [] } }, /It was declared with the official SDK/],
  ])('are named where they are none: %s', async (_what, wrong, message) => {
    expect(() => checkRunnables('w', [flow, wrong])).toThrow(
      expect.objectContaining({ code: 'INVALID_DEFINITION', message: expect.stringMatching(message) }),
    );
  });

  it('are refused by a worker before anything is sent', async () => {
    const workflows: [] = JSON.parse('[{"name":"a"}]');
    await expect(hatchet.worker('w', { workflows })).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining('workflows[0] of the worker w'),
    });
  });
});

describe('a definition that cannot be sent', () => {
  it('is refused at once, with what is wrong', async () => {
    const { defaultPriority }: { defaultPriority: 1 } = JSON.parse('{"defaultPriority":"HIGH"}');
    const task = hatchet.task({ name: 'worded', defaultPriority, fn });
    // The address is one where nothing listens: what could be sent would be tried for 30 s.
    await expect(hatchet.worker('w', { workflows: [task] })).rejects.toMatchObject({
      code: 'INVALID_DEFINITION',
      message: expect.stringContaining('an option of the workflow worded has a value of the wrong type'),
    });
  });

  it('is refused for the payload of a filter', () => {
    const { definition } = hatchet.task({
      name: 'filtered',
      defaultFilters: [{ expression: 'true', scope: 'a', payload: { n: 1n } }],
      fn,
    });
    expect(() => toRegistration(definition, '', undefined)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: expect.stringContaining('a default filter of the workflow filtered cannot be written as JSON'),
      }),
    );
  });
});
