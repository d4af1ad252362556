import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';

/** Runs a call. The contract allows 1,000; 200 ids stay below the 8 KiB of headers that proxies usually allow. */
export const longestCall = 200;
/** Bytes a bulk call: servers of the contract take 4 MiB. */
export const bulkBytes = 3.5 * 1024 * 1024;

/** Runs, and characters, that are given to the link at once: it has several frames under way, so that the engine fills its transactions. */
const longestByLink = 2_000;
const charsByLink = 8 * 1024 * 1024;

interface WithRequest {
  readonly request: TriggerWorkflowRequest;
}

/** Requests in groups that are started one after the other. Which way they go may be known only once the first have gone. */
export function* bulks<Item extends WithRequest>(
  { link }: { readonly link: { readonly isOffered: boolean | undefined } },
  requests: readonly Item[],
): Generator<Item[]> {
  for (let from = 0; from < requests.length;) {
    const group =
      link.isOffered === true
        ? groupFrom(requests, from, { most: longestByLink, size: charsByLink, sizeOf: charsOf })
        : groupFrom(requests, from, { most: longestCall, size: bulkBytes, sizeOf: bytesOf });
    from += group.length;
    yield group;
  }
}

function groupFrom<Item extends WithRequest>(
  requests: readonly Item[],
  from: number,
  { most, size, sizeOf }: { most: number; size: number; sizeOf: (request: TriggerWorkflowRequest) => number },
): Item[] {
  const group: Item[] = [];
  let left = size;
  for (let at = from; at < requests.length && group.length < most; at++) {
    const item = requests[at];
    if (item === undefined) break;
    left -= sizeOf(item.request);
    if (left < 0 && group.length > 0) break;
    group.push(item);
  }
  return group;
}

function charsOf({ input, additionalMetadata }: TriggerWorkflowRequest): number {
  return input.length + (additionalMetadata?.length ?? 0);
}

function bytesOf(request: TriggerWorkflowRequest): number {
  return TriggerWorkflowRequest.encode(request).finish().length;
}
