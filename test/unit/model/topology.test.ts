import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childrenOf, parentPlaces, topologyOf } from '../../../engine/model/topology.ts';

/** Parents are any other nodes: some of these graphs have circles. */
const graph = fc
  .integer({ min: 1, max: 8 })
  .chain((count) =>
    fc.array(fc.subarray(Array.from({ length: count }, (_, place) => place)), { minLength: count, maxLength: count }),
  );

/** By walking all ways up; undefined behind a circle. */
function depthByWalking(
  parents: readonly (readonly number[])[],
  node: number,
  below: readonly number[] = [],
): number | undefined {
  if (below.includes(node)) return undefined;
  const own = (parents[node] ?? []).map((parent) => depthByWalking(parents, parent, [...below, node]));
  if (own.includes(undefined)) return undefined;
  return own.length === 0 ? 0 : 1 + Math.max(...own.map((depth) => depth ?? 0));
}

describe('a graph by parents', () => {
  it('has the depths that all ways up give', () => {
    fc.assert(
      fc.property(graph, (parents) => {
        const { depths, circular } = topologyOf(parents);
        const walked = parents.map((_, node) => depthByWalking(parents, node));
        expect(depths).toEqual(walked);
        expect(circular).toEqual(walked.flatMap((depth, node) => (depth === undefined ? [node] : [])));
      }),
    );
  });

  it('is turned round into children', () => {
    fc.assert(
      fc.property(graph, (parents) => {
        expect(childrenOf(parents)).toEqual(
          parents.map((_, parent) => parents.flatMap((own, child) => (own.includes(parent) ? [child] : []))),
        );
      }),
    );
  });

  it('looks at each edge once, where there are more ways than anybody could walk', () => {
    const layered = Array.from({ length: 400 }, (_, node) =>
      node < 4 ? [] : Array.from({ length: 4 }, (__, place) => Math.floor(node / 4) * 4 - 4 + place),
    );
    expect(topologyOf(layered).depths).toEqual(layered.map((_, node) => Math.floor(node / 4)));
    const all = Array.from({ length: 1000 }, (_, node) => Array.from({ length: node }, (__, parent) => parent));
    expect(topologyOf(all).depths).toEqual(all.map((_, node) => node));
  });

  it('takes a parent that is not there for none, and one that is named twice for one', () => {
    expect(
      parentPlaces([
        { name: 'a', parents: ['gone'] },
        { name: 'b', parents: ['a', 'a'] },
      ]),
    ).toEqual([[], [0, 0]]);
    expect(topologyOf([[], [0, 0]])).toEqual({ depths: [0, 1], circular: [] });
  });
});
