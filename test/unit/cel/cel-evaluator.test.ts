import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CelEvaluator } from '../../../engine/cel/cel-evaluator.ts';
import { CelVariables } from '../../../engine/cel/cel-variables.ts';
import { tenantOf } from '../../helpers/tenant.ts';

let cel: CelEvaluator;
beforeEach(() => {
  cel = new CelEvaluator();
});
afterEach(() => cel.stop());

const input = (value: unknown): CelVariables => new CelVariables({ input: JSON.stringify(value) });
const numbers = Array.from({ length: 3000 }, (_, index) => index);
/** Does not end in an hour. */
const endless = 'input.all(a, input.all(b, input.all(c, a + b + c >= 0.0)))';

describe('CelEvaluator', () => {
  it('ends an expression that takes too long, and serves the next', async () => {
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const hostile = cel.evaluate(tenantOf('t'), endless, input(numbers));
    const next = cel.evaluate(tenantOf('t'), 'input.exists(x, x == 7)', input(numbers));
    expect(await hostile).toEqual({ ok: false, message: 'it took longer than 50 ms' });
    clearInterval(counting);
    expect(turns).toBeGreaterThan(3); // the main thread went on meanwhile
    expect(await next).toEqual({ ok: true, value: true });
  });

  it('stops it in its thread, which goes on', async () => {
    // Nobody ends the thread within the test: on a busy machine the usual 150 ms were not always enough.
    const patient = new CelEvaluator({ graceMs: 600_000 });
    let started = 0;
    const count = (): void => void started++;
    process.on('worker', count);
    try {
      for (let time = 0; time < 5; time++)
        expect(await patient.evaluate(tenantOf('t'), endless, input(numbers))).toEqual({
          ok: false,
          message: 'it took longer than 50 ms',
        });
      expect(started).toBe(1);
    } finally {
      process.off('worker', count);
      await patient.stop();
    }
  });

  it('evaluates at once what is bounded by its text and the length of the data, and nothing else', async () => {
    expect(cel.evaluate(tenantOf('t'), 'input.a', input({ a: 1 }))).toEqual({ ok: true, value: 1 });
    const long = 'a'.repeat(200_000);
    const data = input({ s: long, t: 'aaa', p: '^a+$', list: [long], a: 1, b: 'x' });
    for (const [expression, result] of [
      ['input.t.matches(input.p)', true],
      ['size(input.s + input.s)', 400_000],
      ['input.s in input.list', true],
      ['[input.s, input.list] == [input.s, input.list]', true],
      ['input.s.contains(input.b)', false],
      ['size(bytes(string(bytes(input.s))))', 200_000],
      ['"key-" + input.b', 'key-x'],
    ] as const) {
      const given = cel.evaluate(tenantOf('t'), expression, data);
      expect(given, expression).toBeInstanceOf(Promise);
      expect(await given, expression).toEqual({ ok: true, value: result });
    }
    // The same expressions on little data, where their time has a bound.
    for (const expression of [
      'size(input.s + input.s)',
      'input.s in input.list',
      'input.s.contains(input.b)',
      '"key-" + input.b',
    ]) {
      expect(
        cel.evaluate(tenantOf('t'), expression, input({ s: 'a', list: ['a'], b: 'x' })),
        expression,
      ).not.toBeInstanceOf(Promise);
    }
    // And some that have none, however little the data is.
    for (const expression of [
      'input.s.matches(input.s)',
      'input.s.matches("(a{1000}){1000}")',
      'google.protobuf.Struct{fields: input} == input',
      'input.list.all(x, x == "a")',
    ]) {
      const given = cel.evaluate(tenantOf('t'), expression, input({ s: 'a', list: ['a'] }));
      expect(given, expression).toBeInstanceOf(Promise);
      await given;
    }
  });

  it('sends data once for the expressions that read it, and does not mix it up', async () => {
    const [one, other] = [
      new CelVariables({ input: '{"n":[1]}', payload: '{"n":[2]}' }),
      new CelVariables({ input: '{"n":[3]}' }),
    ];
    const loop = (name: string): string => `${name}.n.map(x, x + 10.0)`;
    const asked = [
      cel.evaluate(tenantOf('t'), loop('input'), one),
      cel.evaluate(tenantOf('t'), loop('payload'), one),
      cel.evaluate(tenantOf('t'), loop('input'), other),
      cel.evaluate(tenantOf('t'), loop('payload'), other),
      cel.evaluate(tenantOf('t'), loop('input'), one),
    ];
    expect(await Promise.all(asked.map((each) => Promise.resolve(each)))).toEqual([
      { ok: true, value: [11] },
      { ok: true, value: [12] },
      { ok: true, value: [13] },
      { ok: false, message: 'unresolved attribute' },
      { ok: true, value: [11] },
    ]);
  });

  it('lets the tenants take turns, and passes over for a while whose expression overran', async () => {
    const order: string[] = [];
    const overran: number[] = [];
    const ask = async (tenant: string, expression: string): Promise<void> => {
      await cel.evaluate(tenantOf(tenant), expression, input(numbers));
      order.push(tenant);
      if (tenant === 'hostile') overran.push(performance.now());
    };
    await Promise.all([
      ...Array.from({ length: 3 }, () => ask('hostile', endless)),
      ask('a', 'input.exists(x, x == 7)'),
      ask('a', 'input.exists(x, x == 8)'),
      ask('b', 'input.exists(x, x == 9)'),
    ]);
    expect(order.slice(0, 3)).toEqual(['hostile', 'a', 'b']);
    // Its own 50 ms each, and three times as long for others in between.
    const [first = 0, second = 0, third = 0] = overran;
    for (const passed of [second - first, third - second]) expect(passed).toBeGreaterThanOrEqual(190);
  });

  it('refuses what one tenant has waiting beyond its share, and that one alone', async () => {
    const few = input([1]);
    const own = Array.from({ length: 10_001 }, () =>
      Promise.resolve(cel.evaluate(tenantOf('greedy'), 'input.all(x, x > 0.0)', few)),
    );
    expect(await own.at(-1)).toEqual({ ok: false, message: '10000 expressions of the tenant wait already' });
    expect(await cel.evaluate(tenantOf('other'), 'input.all(x, x > 0.0)', few)).toEqual({ ok: true, value: true });
    expect(await own[0]).toEqual({ ok: true, value: true });
  });

  it('outlives an expression that would fill its memory, and serves the next', async () => {
    const list = Array.from({ length: 200_000 }, () => 'a');
    const doubled = `${Array.from({ length: 5 }, () => 'input.map(a, input)').join(' + ')} == [input.map(a, string(a)).map(b, input.map(c, [c, b, c, b]))]`;
    const result = await cel.evaluate(tenantOf('t'), doubled, input(list));
    expect(result.ok).toBe(false);
    expect(await cel.evaluate(tenantOf('t'), 'input.exists(x, x == "a")', input(['a']))).toEqual({
      ok: true,
      value: true,
    });
  });

  it('says so when the engine stops meanwhile', async () => {
    const asked = [
      cel.evaluate(tenantOf('t'), endless, input(numbers)),
      cel.evaluate(tenantOf('t'), endless, input(numbers)),
    ];
    await cel.stop();
    expect(await Promise.all([...asked, cel.evaluate(tenantOf('t'), endless, input(numbers))])).toEqual(
      Array.from({ length: 3 }, () => ({ ok: false, message: 'the engine is stopping' })),
    );
  });
});
