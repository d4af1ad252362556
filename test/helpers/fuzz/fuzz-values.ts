import { randomUUID } from 'node:crypto';

/** Draws from a seeded stream: the same seed gives the same requests. */
export class Draw {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to draw from');
    return item;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/** Names and ids that exist, so that some requests get far. */
export interface Known {
  ids: string[];
  foreignIds: string[];
  workflows: string[];
}

function deep(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

const expressions = [
  'true',
  'input.a',
  'input.a == "x"',
  'input.s.matches(input.p)',
  '"k" + input.a',
  'size(input.a + input.b)',
  '[1,2,3].map(x, x * 2)',
  'input.l.all(x, input.l.all(y, x == y))',
  '1 +',
  'a'.repeat(2000),
  '('.repeat(200),
  'input["__proto__"]',
  '"\\u0000"',
  'headers["x"]',
  'input.a in input.l',
  'string(input.n)',
  'timestamp("9999-12-31T23:59:59Z")',
  'duration("999999h")',
];
const durations = ['1s', '0s', '500ms', '1h30m', '99999999999h', '-1s', '1', '1.5s', 'ms', '∞'];
const crons = [
  '* * * * *',
  '*/5 * * * * *',
  '0 0 31 2 *',
  '@hourly',
  '@never',
  `${'0,'.repeat(50_000)}0 * * * *`,
  '* * * * * * *',
  '60 * * * *',
  '',
];
const dates = [
  '2026-01-31T12:00:00Z',
  '1969-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '+999999-01-01T00:00:00Z',
  'tomorrow',
  '',
  '0',
  '2026-02-30T00:00:00Z',
  '-271821-04-20T00:00:00Z',
];
const jsons = [
  '{}',
  '{"a":1}',
  '[]',
  'null',
  '"x"',
  '1e400',
  '{"a":"\\u0000"}',
  '{"a":"\\ud800"}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{',
  '',
  'NaN',
  deep(150),
  deep(250),
  deep(6000),
  `{"a":${deep(5000)}}`,
  `{"a":"${'x'.repeat(100_000)}"}`,
  '{"a":{"a":{"a":{}}},"l":[1,2,3],"s":"aaaa","p":"(a+)+$"}',
  '{"\u2028":1}',
  '9007199254740993',
  '{"a":1e308}',
  '{"a":-0}',
];
const texts = [
  '',
  'a',
  'key',
  'user:1',
  'a\0b',
  '\0',
  'x'.repeat(1000),
  'x'.repeat(1001),
  'x'.repeat(70_000),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  "'; DROP TABLE run; --",
  '%',
  '_',
  '\\',
  '*',
  '*a*b*c*',
  '\u202e\u200b\u2028',
  '😀',
  '\ud800',
  'ﷺ'.repeat(500),
  '../../etc/passwd',
  '$1',
  'NaN',
  'null',
  'undefined',
  'COMPLETED',
  'completed',
  'INFO',
  'a:b',
  ':',
  'a:',
  'SHA256',
  'HEX',
  'GENERIC',
  'BASIC',
  'HMAC',
  'UTC',
  'Europe/Berlin',
  'Nowhere/Land',
  'last',
  'X-Signature',
  'pause',
  'unpause',
  'default',
  'durable',
];
const badIds = [
  '',
  'x',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '01a20b7a-7a88-7db4-91a0',
  '01A20B7A-7A88-7DB4-91A0-91F8886799A0',
  '01a20b7a7a887db491a091f8886799a0',
  'fe800000-0000-7000-8000-000000000000',
  '00000000-0000-7000-8000-000000000000',
];

/** A text as a field of such a name may want it, or any other. */
export function fuzzText(draw: Draw, name: string, known: Known): string {
  const lower = name.toLowerCase();
  if (draw.chance(0.002)) return 'y'.repeat(draw.of([5 * 1024 * 1024, 300_000]));
  if (draw.chance(0.25)) return draw.of([...texts, ...badIds]);
  if (/id$|ids$|^id|token$|before|after|run$|task$|worker$|event$|filter$|schedule$|cron$|webhook$|tenant$/.test(lower))
    return draw.chance(0.7)
      ? draw.of(known.ids)
      : draw.chance(0.5)
        ? draw.of(known.foreignIds)
        : draw.chance(0.5)
          ? draw.of(badIds)
          : randomUUID();
  if (/expr|expression/.test(lower)) return draw.of(expressions);
  if (/cron/.test(lower)) return draw.of(crons);
  if (/timeout|duration|sleepfor|increment/.test(lower)) return draw.of(durations);
  if (/since|until|date|at$/.test(lower)) return draw.of(dates);
  if (/input|payload|metadata|data|output|message/.test(lower)) return draw.of(jsons);
  if (/workflow|name/.test(lower)) return draw.chance(0.6) ? draw.of(known.workflows) : draw.of(texts);
  return draw.of([...texts, ...jsons, ...expressions, ...dates]);
}

export const integers = [0, 1, 2, 3, 5, 100, -1, 1000, 10_001, 2 ** 31 - 1, -(2 ** 31)];
export const longs = [0n, 1n, 2n, -1n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 9_000_000_000_000_000n];

/** Any JSON value, as bodies hold it. */
export function fuzzJson(draw: Draw, name: string, known: Known, level = 0): unknown {
  const kind = draw.below(level > 2 ? 5 : 8);
  if (kind <= 1) return fuzzText(draw, name, known);
  if (kind === 2) return draw.of<number>([...integers, 0.5, 1e308, -1e308, 9e15, 1e21]);
  if (kind === 3) return draw.of([true, false, null]);
  if (kind === 4) return fuzzText(draw, name, known);
  if (kind === 5)
    return Array.from({ length: draw.chance(0.02) ? 10_000 : draw.below(4) }, () =>
      fuzzText(draw, name, known).slice(0, 2000),
    );
  return Object.fromEntries(
    Array.from({ length: draw.below(4) }, (_, index) => [
      draw.of(['a', 'b', '__proto__', 's', 'p', 'l', `k${index}`]),
      fuzzJson(draw, name, known, level + 1),
    ]),
  );
}
