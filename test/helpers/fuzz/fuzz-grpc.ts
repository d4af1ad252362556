import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  ScalarType,
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
  toJsonString,
  type DescField,
  type DescMessage,
  type DescMethod,
  type MessageShape,
} from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { packageRoot } from '../engine-process.ts';
import { fuzzText, integers, longs, type Draw, type Known } from './fuzz-values.ts';

/** Every method of every service, from the descriptors of what is in `proto`: a new one is there unasked. */
export async function describedMethods(): Promise<DescMethod[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hatchet-descriptors-'));
  try {
    const image = join(folder, 'image.binpb');
    await promisify(execFile)(join(packageRoot, 'node_modules/.bin/buf'), ['build', '-o', image], {
      cwd: join(packageRoot, 'proto'),
    });
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
    return [...registry].flatMap((desc) => (desc.kind === 'service' ? desc.methods : []));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** A request of the method's type, filled at random; now and then bytes that are none. */
export function fuzzRequest(draw: Draw, method: DescMethod, known: Known): Buffer {
  if (draw.chance(0.02)) return draw.bytes(draw.below(200));
  const bytes = Buffer.from(toBinary(method.input, fuzzMessage(draw, method.input, known, 0)));
  if (bytes.length > 0 && draw.chance(0.03)) bytes[draw.below(bytes.length)] = draw.below(256);
  return bytes;
}

/** The same in the JSON form of the message, as far as it has one: times beyond the year 9999 have none. */
export function fuzzJsonRequest(draw: Draw, method: DescMethod, known: Known): Buffer {
  const message = fuzzMessage(draw, method.input, known, 0);
  try {
    return Buffer.from(toJsonString(method.input, message));
  } catch {
    return Buffer.from('{}');
  }
}

function fuzzMessage(draw: Draw, desc: DescMessage, known: Known, level: number): MessageShape<DescMessage> {
  const message = reflect(desc, create(desc));
  if (desc.typeName === 'google.protobuf.Timestamp') {
    fuzzTimestamp(draw, message);
    return message.message;
  }
  // Half of the requests are nearly whole, so that they get past the first checks.
  const share = draw.chance(0.5) ? 0.9 : 0.5;
  for (const field of desc.fields) {
    if (field.oneof !== undefined && message.oneofCase(field.oneof) !== undefined) continue;
    if (draw.chance(share)) fillField(draw, message, field, known, level);
  }
  return message.message;
}

function fuzzTimestamp(draw: Draw, message: ReflectMessage): void {
  for (const field of message.desc.fields) {
    if (field.fieldKind !== 'scalar') continue;
    if (field.name === 'seconds')
      message.set(
        field,
        draw.of([BigInt(Math.floor(Date.now() / 1000)), BigInt(Math.floor(Date.now() / 1000) + 3600), ...longs]),
      );
    else message.set(field, draw.of([0, 999_999_999, -1]));
  }
}

function fillField(draw: Draw, message: ReflectMessage, field: DescField, known: Known, level: number): void {
  switch (field.fieldKind) {
    case 'scalar':
      return message.set(field, fuzzScalar(draw, field.scalar, field.name, known));
    case 'enum':
      return message.set(
        field,
        fuzzEnum(
          draw,
          field.enum.values.map((value) => value.number),
        ),
      );
    case 'message':
      if (level < 6) message.set(field, reflect(field.message, fuzzMessage(draw, field.message, known, level + 1)));
      return undefined;
    case 'list': {
      const list = message.get(field);
      const count = draw.chance(0.01) && level === 0 ? 10_000 : draw.chance(0.02) ? 1_100 : draw.below(4);
      const small = count > 100;
      for (let at = 0; at < count; at++) {
        if (field.listKind === 'scalar')
          list.add(small ? draw.of(known.ids.slice(0, 1)) : fuzzScalar(draw, field.scalar, field.name, known));
        else if (field.listKind === 'enum')
          list.add(
            fuzzEnum(
              draw,
              field.enum.values.map((value) => value.number),
            ),
          );
        else if (level < 4)
          list.add(
            reflect(field.message, small ? create(field.message) : fuzzMessage(draw, field.message, known, level + 2)),
          );
      }
      return undefined;
    }
    case 'map': {
      const map = message.get(field);
      const count = draw.chance(0.03) ? 1_100 : draw.below(3);
      for (let at = 0; at < count; at++) {
        const key =
          field.mapKey === ScalarType.STRING
            ? `${draw.of(['a', '__proto__', 'k\0', 'x'.repeat(1001), 'key'])}${at === 0 ? '' : at}`
            : at;
        if (field.mapKind === 'scalar') map.set(key, fuzzScalar(draw, field.scalar, field.name, known));
        else if (field.mapKind === 'enum')
          map.set(
            key,
            fuzzEnum(
              draw,
              field.enum.values.map((value) => value.number),
            ),
          );
        else if (level < 4) map.set(key, reflect(field.message, fuzzMessage(draw, field.message, known, level + 2)));
      }
      return undefined;
    }
  }
}

function fuzzEnum(draw: Draw, numbers: readonly number[]): number {
  return draw.chance(0.1) ? draw.of([99, -1, 2 ** 31 - 1]) : draw.of(numbers);
}

function fuzzScalar(draw: Draw, type: ScalarType, name: string, known: Known): unknown {
  switch (type) {
    case ScalarType.STRING:
      return fuzzText(draw, name, known).replace(/\p{Surrogate}/gu, '?');
    case ScalarType.BYTES:
      return draw.chance(0.2)
        ? draw.bytes(draw.below(50))
        : Buffer.from(fuzzText(draw, name === 'payload' ? 'payload' : `${name} payload`, known));
    case ScalarType.BOOL:
      return draw.chance(0.5);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return draw.of([0, 1, 2.5, -1, Number.NaN, Infinity, -Infinity, 1e30]);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return draw.of(longs);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return draw.of(longs.filter((each) => each >= 0n));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return draw.of(integers.filter((each) => each >= 0));
    default:
      return draw.of(integers);
  }
}
