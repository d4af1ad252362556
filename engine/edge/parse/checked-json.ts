import { markChecked, type Checked } from '../../model/checked.ts';
import { checkedInput, checkedJson, checkedMetadata } from '../../model/payload/check-payload.ts';
import type { PayloadReader } from '../../payloads/payload-reader.ts';
import { invalid } from './invalid.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** Characters of a small object beside something else, such as a filter's payload. */
const longestSmallObject = 65_536;

/** A cron's input as JSON text; empty means an empty object. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function input(value: string): Checked<string> {
  return markChecked(checkedInput(value));
}

/** Metadata, a JSON object; empty means none. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function metadata(value: string): Checked<string> {
  return markChecked(checkedMetadata(value));
}

/**
 * Any JSON that may be long: at once, unless it is.
 * @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE; the promise is rejected alike
 */
export function payload(
  payloads: PayloadReader,
  tenantId: TenantId,
  value: string,
  what: string,
): Checked<string> | Promise<Checked<string>> {
  const checked = markChecked(value);
  return payloads.check(tenantId, value, what)?.then(() => checked) ?? checked;
}

/** Any JSON. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function json(value: string, what: string): Checked<string> {
  checkedJson(value, what);
  return markChecked(value);
}

/** A JSON object of up to 64 KiB; empty means an empty one. @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE */
export function smallObject(value: string, what: string): Checked<string> {
  if (value === '') return markChecked('{}');
  const parsed = checkedJson(value, what);
  if (parsed === null) return markChecked('{}');
  if (typeof parsed !== 'object' || Array.isArray(parsed) || value.length > longestSmallObject)
    throw invalid(`${what} is not a JSON object of up to ${longestSmallObject} characters`, 'Send a JSON object.');
  return markChecked(value);
}
