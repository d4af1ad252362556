import { outranks, type ConcurrencyGroup, type PlaceRequest } from './concurrency-group.ts';

/** A request that a strategy gives up, with the group that decided it. */
export interface GivenUp {
  request: PlaceRequest;
  group: ConcurrencyGroup;
}

/** What the cancelling strategies say to requests that arrive: the one that is refused, or those that they push out. */
export function judgeCancelling(requests: readonly PlaceRequest[]): {
  refused: GivenUp | undefined;
  pushedOut: GivenUp[];
} {
  const pushedOut: GivenUp[] = [];
  for (const request of requests) {
    for (const group of request.groups) {
      // No place at all is a hold, not a verdict.
      if (group.maxRuns === 0 || group.members.size < group.maxRuns) continue;
      if (group.strategy === 'CANCEL_NEWEST') return { refused: { request, group }, pushedOut: [] };
      if (group.strategy !== 'CANCEL_IN_PROGRESS') continue;
      const lowest = group.byMerit.at(group.maxRuns - 1);
      if (lowest === undefined || !outranks(request, lowest)) return { refused: { request, group }, pushedOut: [] };
      for (const loser of group.byMerit.slice(group.maxRuns - 1)) pushedOut.push({ request: loser, group });
    }
  }
  return { refused: undefined, pushedOut };
}

/** Its strategy lets one of those that wait stay, and more wait. */
export function isCrowded(group: ConcurrencyGroup): boolean {
  return group.maxRuns > 0 && stayingPlace(group) !== undefined && group.placeless.size > 1;
}

/** Among those that wait, oldest first. */
function stayingPlace({ strategy }: ConcurrencyGroup): number | undefined {
  if (strategy === 'CANCEL_QUEUED_EXCEPT_NEWEST') return -1;
  return strategy === 'CANCEL_QUEUED_EXCEPT_OLDEST' ? 0 : undefined;
}

/** Of those that wait, the ones that do not stay; so many at most. */
export function surplusOf(group: ConcurrencyGroup, most: number): GivenUp[] {
  const place = stayingPlace(group);
  const { placeless } = group;
  const losers = place === 0 ? placeless.slice(1, 1 + most) : placeless.slice(0, Math.min(placeless.size - 1, most));
  return losers.map((request) => ({ request, group }));
}
