import { isRecord } from '../project/json-value.ts';
import { jsonText, plainText } from '../output/plain-text.ts';

const levels: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** A line of the engine's log for a person: `03:20:11.123 WARN  shards taken over  shards=64`. What is no JSON stays as it is. */
export function engineLogLine(line: string): string {
  const entry = parse(line);
  if (entry === undefined) return plainText(line);
  const { level, time, msg, err, ...rest } = entry;
  const at = typeof time === 'string' ? time.slice(11, 23) : '';
  const error = isRecord(err) && typeof err['message'] === 'string' ? `: ${err['message']}` : '';
  const facts = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : jsonText(value)}`,
  );
  return plainText([`${at} ${(levels[Number(level)] ?? '').padEnd(5)} ${String(msg)}${error}`, ...facts].join('  '));
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isRecord(entry) && 'msg' in entry ? entry : undefined;
  } catch {
    return undefined;
  }
}
