import type { JsonArray, JsonObject } from './json-value.ts';

/** What JSON carries as it is. A property may also be absent. */
type Carried = string | number | boolean | null | readonly Carried[] | { readonly [key: string]: Carried | undefined };

/** A type for any object or list of JSON stays as it is: mapping it would have no end. */
type AnyJson<Value> = JsonObject extends Value ? Value : JsonArray extends Value ? Value : never;

/** What JSON would carry without its content, as `{}`, or not at all. The same kinds are refused at run time: see json-text.ts. */
type Lost =
  | bigint
  | RegExp
  | Error
  | Promise<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | ArrayBufferLike
  | ArrayBufferView;

/** Left out where it stands in an object. */
type LeftOut = symbol | ((...args: never[]) => unknown);

/**
 * What arrives of a value that travels as JSON: a `Date` as a text, an object without its methods, `undefined` in a list as
 * `null`; the value itself where it is JSON already. Nothing arrives as `null`, and `void` says that nothing is to be expected.
 */
export type JsonOf<Value> = unknown extends Value ? Value : [Value] extends [void] ? Value : JsonItem<Value>;

/** The same where `null` stands for nothing. */
type JsonItem<Value> = unknown extends Value
  ? Value
  : Value extends Carried | AnyJson<Value>
    ? Value
    : Value extends { toJSON(key?: string): infer Json }
      ? JsonItem<Json>
      : Value extends undefined | void | LeftOut
        ? null
        : Value extends readonly unknown[]
          ? JsonList<Value>
          : Value extends object
            ? JsonObjectOf<Value>
            : never;

type JsonList<Value> = { [Index in keyof Value]: JsonItem<Value[Index]> };

type Flat<Value> = { [Key in keyof Value]: Value[Key] };

/** What may be absent becomes optional; methods and symbols are left out. */
type JsonObjectOf<Value> = Flat<
  {
    [
      Key in keyof Value as Key extends symbol
        ? never
        : [Value[Key]] extends [LeftOut | undefined]
          ? never
          : undefined extends Value[Key]
            ? never
            : Key
    ]: JsonItem<Value[Key]>;
  } & {
    [
      Key in keyof Value as Key extends symbol
        ? never
        : [Value[Key]] extends [LeftOut | undefined]
          ? never
          : unknown extends Value[Key]
            ? never
            : undefined extends Value[Key]
              ? Key
              : never
    ]?: JsonItem<Exclude<Value[Key], undefined>>;
  } & { [Key in keyof Value as Key extends symbol ? never : unknown extends Value[Key] ? Key : never]: Value[Key] }
>;

/** Stands in a compiler's message for a value that is lost on its way: a Map, a Set, a bigint, an Error. Give a list or an object made from it. */
export interface NotCarriedByJson {
  readonly notCarriedByJson: never;
}

/** The type itself, with `NotCarriedByJson` in place of what would be lost: a type that is not assignable to it is to be refused. */
export type Carriable<Value> = unknown extends Value
  ? Value
  : Value extends Carried | AnyJson<Value> | undefined | void | LeftOut
    ? Value
    : Value extends { toJSON(key?: string): unknown }
      ? Value
      : Value extends Lost
        ? NotCarriedByJson
        : Value extends object
          ? { [Key in keyof Value]: Carriable<Value[Key]> }
          : Value;

/**
 * Added to the options of a task: the compiler refuses a function whose output would be lost on its way. A conditional
 * type, since a second type of `fn` would leave its parameters without types.
 */
export type CarriableFn<Result> = [Result] extends [Carriable<Result>]
  ? unknown
  : { fn: (...args: never[]) => Carriable<Result> | Promise<Carriable<Result>> };

/** The same for a batch task's function, which gives an output for each id. */
export type CarriableBatchFn<Result> = [Result] extends [Carriable<Result>]
  ? unknown
  : { fn: (...args: never[]) => BatchOutputs<Result> | Promise<BatchOutputs<Result>> };

type BatchOutputs<Result> = Record<string, Carriable<Result> | Error>;

/** The same for a function alone. */
export type CarriableResult<Result> = [Result] extends [Carriable<Result>]
  ? unknown
  : () => Carriable<Result> | Promise<Carriable<Result>>;
