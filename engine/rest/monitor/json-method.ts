import { fromBinary, fromJsonString, toBinary, toJson, type DescMethod, type JsonValue } from '@bufbuild/protobuf';
import type { MonitorMethod } from '../../edge/access/route-rules.ts';
import { describedFiles } from '../../edge/described-files.ts';
import { HatchetError } from '../../base/errors.ts';

const service = 'hatchet.monitor.v1.MonitorService';
/** Of what the parser says of a request, which may quote the request. */
const longestReason = 300;

/** The requests and answers of a method of the monitoring service, from JSON and to it. */
export interface JsonMethod {
  /** @param json nothing at all is an empty request @throws HatchetError INVALID_ARGUMENT */
  request(json: string): Buffer;
  /** Every field that is no `optional` one is there, also where it has the value that the wire leaves out. */
  answer(bytes: Uint8Array): JsonValue;
}

export async function jsonMethod(name: MonitorMethod): Promise<JsonMethod> {
  const files = await describedFiles();
  const method = files.getService(service)?.methods.find((each) => each.name === name);
  if (method === undefined) throw new Error(`${service} has no method ${name}: run npm run generate`);
  return jsonOf(method);
}

function jsonOf({ input, output }: DescMethod): JsonMethod {
  return {
    request(json) {
      if (json.trim() === '') return Buffer.alloc(0);
      try {
        return Buffer.from(toBinary(input, fromJsonString(input, json)));
      } catch (error) {
        const reason = error instanceof Error ? error.message.slice(0, longestReason) : String(error);
        throw new HatchetError('INVALID_ARGUMENT', `the body is no ${input.name} as JSON: ${reason}`, {
          remedy: 'Send what GET /api/v1/docs says of this path.',
        });
      }
    },
    answer: (bytes) => toJson(output, fromBinary(output, bytes), { alwaysEmitImplicit: true }),
  };
}
