/** A graph by parents: of each node, the places of those that come before it. */
export type ParentsOf = readonly (readonly number[])[];

export interface Topology {
  /** Of each node, the edges of the longest way from one without parents. Nodes on a circle, or behind one, have none. */
  depths: (number | undefined)[];
  /** Nodes on a circle, or behind one. */
  circular: number[];
}

/** Of each node, the places of those that name it as a parent. */
export function childrenOf(parents: ParentsOf): number[][] {
  const children: number[][] = parents.map(() => []);
  for (const [node, own] of parents.entries()) for (const parent of own) children[parent]?.push(node);
  return children;
}

/**
 * One pass over nodes and edges, parents before children: each edge is looked at once, where a walk up from every node would go
 * all ways there are, 4^12 of them in 12 layers of 4 nodes. A parent that is named twice counts twice, on both sides.
 */
export function topologyOf(parents: ParentsOf): Topology {
  const children = childrenOf(parents);
  const missing = parents.map((own) => own.length);
  const depths: (number | undefined)[] = parents.map(() => undefined);
  const ready = parents.flatMap((own, node) => (own.length === 0 ? [node] : []));
  for (const node of ready) depths[node] = 0;
  for (const node of ready) {
    const below = (depths[node] ?? 0) + 1;
    for (const child of children[node] ?? []) {
      depths[child] = Math.max(depths[child] ?? 0, below);
      const left = (missing[child] ?? 0) - 1;
      missing[child] = left;
      if (left === 0) ready.push(child); // which this loop comes to
    }
  }
  const circular = parents.flatMap((_, node) => ((missing[node] ?? 0) > 0 ? [node] : []));
  for (const node of circular) depths[node] = undefined;
  return { depths, circular };
}

/** The same by name: a parent that is not among the nodes is none, and of nodes of one name the last counts. */
export function parentPlaces(nodes: readonly { name: string; parents: readonly string[] }[]): number[][] {
  const places = new Map(nodes.map((node, place) => [node.name, place]));
  return nodes.map((node) => node.parents.flatMap((parent) => places.get(parent) ?? []));
}
