/** What JSON can carry, by the names that the official SDK has for it. */
export type JsonPrimitive = string | number | boolean | null | undefined;
export type JsonArray = JsonValue[];
export type JsonValue = JsonPrimitive | JsonObject | JsonArray;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** An input without a type of its own. */
export type UnknownInputType = object;
export type InputType = JsonObject;
export type OutputType = JsonObject | void;
