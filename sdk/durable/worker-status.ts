import type { DurableEventLogEntryRef } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';

/** Nodes of one status message, some 50 bytes each: 1 MB, of which one message may have 4. */
export const statusNodes = 20_000;

/**
 * What invocations wait for, in messages of at most so many nodes. An invocation's nodes go in one message, however many they
 * are: the engine takes them for all that it waits for.
 */
export function statusMessages(
  waits: readonly (readonly DurableEventLogEntryRef[])[],
  most = statusNodes,
): DurableEventLogEntryRef[][] {
  const messages: DurableEventLogEntryRef[][] = [];
  let open: DurableEventLogEntryRef[] | undefined;
  for (const nodes of waits) {
    if (nodes.length === 0) continue;
    if (open === undefined || open.length + nodes.length > most) messages.push((open = []));
    for (const node of nodes) open.push(node);
  }
  return messages;
}
