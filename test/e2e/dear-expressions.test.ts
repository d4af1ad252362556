import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

/** A text of the data that a pattern of the data matches: without a bound, whatever they are. */
const dear = 'input.s.matches(input.p)';
const matching = { s: 'aaa', p: '^a+$' };
const other = { s: 'aab', p: '^a+$' };
const sixteen = Array.from({ length: 16 }, () => 'input.s');

const fixture = engineFixture('dear');
let hatchet: HatchetClient;
let worker: Awaited<ReturnType<HatchetClient['worker']>>;
let neighbour: Awaited<ReturnType<typeof makeNeighbour>>;

async function debug(
  expression: string,
  input: unknown,
  caller: { tenantId: string; token: string } = { tenantId: hatchet.tenantId, token: fixture.engine.token },
): Promise<unknown> {
  const response = await fetch(
    `http://127.0.0.1:${fixture.engine.http.port}/api/v1/stable/tenants/${caller.tenantId}/cel/debug`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${caller.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ expression, input }),
    },
  );
  return response.json();
}

beforeAll(async () => {
  neighbour = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  process.env['HATCHET_CLIENT_LOG_LEVEL'] = 'OFF';
  hatchet = HatchetClient.init({ token: fixture.engine.token, tls_config: { tls_strategy: 'none' } });
  const keyed = hatchet.task({
    name: 'keyed',
    concurrency: { expression: `${dear} ? 'yes' : 7`, maxRuns: 10 },
    fn: (input: { s: string }) => ({ chars: input.s.length }),
  });
  const filtered = hatchet.task({ name: 'filtered', onEvents: ['dear:event'], fn: () => ({}) });
  worker = await hatchet.worker('dear', { workflows: [keyed, filtered], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
});

afterAll(async () => {
  await worker.stop();
});

describe('expressions whose cost has no bound', () => {
  it('a pattern that comes with the data is refused by its length', async () => {
    expect(await debug(dear, { s: 'a', p: 'a'.repeat(40_000) })).toEqual({
      status: 'ERROR',
      error: 'the pattern has 40000 characters; up to 1024 are allowed',
    });
    expect(await debug(dear, matching)).toEqual({ status: 'SUCCESS', output: true });
  });

  it('sums of a large text end with their limit, and the engine with none of them', async () => {
    const tree = `size(${Array.from({ length: 4 }, () => `(${sixteen.join(' + ')})`).join(' + ')}) > 0`;
    expect(await debug(tree, { s: 'a'.repeat(4_000_000) })).toEqual({
      status: 'ERROR',
      error: 'an addition gives 20000000 characters; up to 16777216 are allowed',
    });
    expect(await debug(tree, { s: 'a' })).toEqual({ status: 'SUCCESS', output: true });
  });

  it('others are answered meanwhile, and another tenant has its turn', async () => {
    const order: string[] = [];
    const list = Array.from({ length: 3000 }, (_, index) => index);
    const hostile = Array.from({ length: 6 }, () =>
      debug('input.l.all(a, input.l.all(b, input.l.all(c, a + b + c >= 0.0)))', { l: list }).then((answer) => {
        order.push('hostile');
        return answer;
      }),
    );
    await hostile[0];
    const quick = debug('input.n == 1.0', { n: 1 }).then(() => order.push('quick'));
    const turn = debug(
      'input.l.exists(x, x == 7.0)',
      { l: list },
      { tenantId: neighbour.tenantId, token: neighbour.token },
    ).then((answer) => {
      order.push('neighbour');
      return answer;
    });
    expect(await turn).toEqual({ status: 'SUCCESS', output: true });
    await quick;
    expect(await Promise.all(hostile)).toEqual(
      Array.from({ length: 6 }, () => ({ status: 'ERROR', error: 'it took longer than 50 ms' })),
    );
    expect(order.filter((who) => who !== 'hostile')).toHaveLength(2);
    expect(order.lastIndexOf('hostile')).toBeGreaterThan(Math.max(order.indexOf('quick'), order.indexOf('neighbour')));
  });

  it('filters let events through by them', async () => {
    const { rows = [] } = await hatchet.workflows.list({ name: 'filtered' });
    const workflowId = rows.find(({ name }) => name === 'filtered')?.metadata.id ?? '';
    await hatchet.filters.create({ workflowId, scope: 'dear', expression: dear });
    const runsOf = async (payload: object): Promise<number> => {
      const event = await hatchet.events.push('dear:event', payload, { scope: 'dear' });
      const found = await fixture.database.pool.query('SELECT 1 FROM event_run WHERE event_id = $1', [event.eventId]);
      return found.rowCount ?? -1;
    };
    expect([await runsOf(matching), await runsOf(other), await runsOf({ s: 'a', p: 'a'.repeat(2000) })]).toEqual([
      1, 0, 0,
    ]);
    // However plain one is, on much data it is for the thread as well.
    expect(await runsOf({ ...matching, filler: 'x'.repeat(1_000_000) })).toBe(1);
  });

  it('concurrency keys are theirs, and one that fails is the error of its run', async () => {
    expect(await hatchet.run('keyed', matching)).toEqual({ keyed: { chars: 3 } });
    expect(await hatchet.run('keyed', { ...matching, filler: 'x'.repeat(100_000) })).toEqual({ keyed: { chars: 3 } });
    expect(await hatchet.run('keyed', { ...other, filler: 'x'.repeat(100_000) }).catch(String)).toMatch(
      /must give a string, not 7/,
    );
    expect(await hatchet.run('keyed', { s: 'a', p: 'a'.repeat(40_000) }).catch(String)).toMatch(
      /the pattern has 40000 characters/,
    );
  });
});
