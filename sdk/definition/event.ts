import { HatchetError } from '../errors.ts';
import type { JsonOf } from '../json-of.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';

/** These carry types only: no value has these properties. */
declare const pushed: unique symbol;
declare const arriving: unique symbol;
declare const received: unique symbol;

/** An event key that knows what its events carry. Wherever a key is taken, it can stand. Made by `hatchet.event`. */
export class EventDeclaration<Pushed, Received = JsonOf<Pushed>> {
  declare readonly [pushed]?: Pushed;
  declare readonly [arriving]?: JsonOf<Pushed>;
  declare readonly [received]?: Received;
  readonly key: string;
  /** Checks the payload where it is pushed, and where a durable task waits for it. */
  readonly schema: StandardSchema | undefined;

  constructor(key: string, schema?: StandardSchema<Pushed, Received>) {
    this.key = key;
    this.schema = schema;
  }
}

/** An event's key, whatever it carries. */
export interface AnyEvent {
  readonly key: string;
  readonly schema: StandardSchema | undefined;
}

/** An event whose payload can be that input. */
export interface EventFor<Input> extends AnyEvent {
  readonly [arriving]?: Input;
}

/** @throws HatchetError INVALID_DEFINITION */
export function declareEvent<Pushed, Received>(
  key: string,
  schema?: StandardSchema<Pushed, Received>,
): EventDeclaration<Pushed, Received> {
  if (typeof key !== 'string' || key === '')
    throw new HatchetError('INVALID_DEFINITION', `${JSON.stringify(key)} cannot be the key of an event`, {
      remedy: "Give a text, such as 'order:paid'",
    });
  return new EventDeclaration<Pushed, Received>(key, schema);
}

export function keyOf(event: string | AnyEvent): string {
  return typeof event === 'string' ? event : event.key;
}
