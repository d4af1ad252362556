import fc from 'fast-check';

/** Makes the value anew each time: some can be used once. */
export type MakeValue = () => unknown;

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Every trap throws. */
function trapped(target: object): object {
  const traps = new Proxy<ProxyHandler<object>>(
    {},
    {
      get: () => () => {
        throw new Error('a trap');
      },
    },
  );
  return new Proxy(target, traps);
}

const fields = [
  'message',
  'stack',
  'name',
  'code',
  'cause',
  'errors',
  'toJSON',
  'toString',
  Symbol.toPrimitive,
  Symbol.toStringTag,
] as const;

function thrower(name: PropertyKey): MakeValue {
  return () =>
    Object.defineProperty(new Error('has a getter'), name, {
      configurable: true,
      enumerable: true,
      get: () => {
        throw revoked({});
      },
    });
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withBoxedValues: true,
  withUnicodeString: true,
});

/** Each is the end of some careless reading. */
export const oddities: readonly MakeValue[] = [
  ...fields.map((name) => thrower(name)),
  () => '',
  () => Symbol('odd'),
  () => 10n,
  () => undefined,
  () => Number.NaN,
  () => () => undefined,
  () =>
    class Odd {
      field = 1;
    },
  () => revoked({}),
  () => revoked([]),
  () => revoked(new Error('revoked')),
  () => trapped({}),
  () => trapped([]),
  () => trapped(() => undefined),
  () => trapped(new Error('trapped')),
  () => Object.create(null),
  () => ({
    toJSON: () => {
      throw Symbol('not to be written');
    },
  }),
  () => ({ toJSON: () => 10n }),
  () => ({
    [Symbol.for('nodejs.util.inspect.custom')]: () => {
      throw revoked({});
    },
  }),
  () =>
    // oxlint-disable-next-line unicorn/no-thenable -- the oddity is that it cannot be read
    Object.defineProperty({}, 'then', {
      get: () => {
        throw revoked({});
      },
    }),
  () => Object.assign(new Error('x'), { message: { code: 'E42' } }),
  () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    return cycle;
  },
  () => {
    const error: Error & { errors?: unknown } = new Error('round', {});
    error.cause = error;
    error.errors = [error, error];
    return error;
  },
  () => {
    let error = new Error('0');
    for (let depth = 1; depth < 200; depth += 1) error = new Error(String(depth), { cause: error });
    return error;
  },
  () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 20_000; depth += 1) deep = [deep];
    return deep;
  },
  () =>
    new AggregateError(
      Array.from({ length: 5_000 }, (_, index) => new Error(`error ${index}`)),
      'many',
    ),
  () => new Error('\0\u0001'.repeat(50_000)),
  () => 'x'.repeat(300_000),
  () => '\ud800',
];

/** What user code may throw, return or log, and more than that. */
export function hostileValue(): fc.Arbitrary<MakeValue> {
  const odd = fc.oneof(
    anything.map(
      (value): MakeValue =>
        () =>
          value,
    ),
    fc.constantFrom(...oddities),
  );
  const errors = fc
    .array(fc.tuple(fc.constantFrom(...fields), odd), { maxLength: 4 })
    .map((properties): MakeValue => () => {
      const error = new Error('odd');
      for (const [name, make] of properties) {
        try {
          Object.defineProperty(error, name, { configurable: true, enumerable: true, value: make() });
        } catch {
          // V8 writes the stack now, from a name that is no text.
        }
      }
      return error;
    });
  return fc.oneof(odd, errors);
}
