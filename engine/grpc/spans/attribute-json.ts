import type { AnyValue, KeyValue } from '../../../proto/gen/opentelemetry/proto/common/v1/common.ts';

/** Values in values: more is no attribute that anybody reads. */
const deepest = 32;

/** An attribute nests too deep. */
export class TooDeep extends Error {}

/** Attributes as an object; of one that is there twice, the last counts. @throws TooDeep */
export function attributeObject(attributes: readonly KeyValue[], depth = 0): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value, depth + 1)]));
}

/** As JSON can carry it: whole numbers beyond its exact range as text, bytes as base64, NaN as null. */
function plainValue(any: AnyValue | undefined, depth: number): unknown {
  if (depth > deepest) throw new TooDeep();
  const value = any?.value;
  switch (value?.$case) {
    case 'intValue':
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : String(value.value);
    case 'bytesValue':
      return value.value.toString('base64');
    case 'arrayValue':
      return value.value.values.map((each) => plainValue(each, depth + 1));
    case 'kvlistValue':
      return attributeObject(value.value.values, depth);
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
      return value.value;
    case undefined:
      return null;
  }
}
