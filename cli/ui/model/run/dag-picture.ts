import { fit, pad } from '../../../output/table.ts';

export interface DagNode {
  name: string;
  parents: readonly string[];
  /** In front of the name, one cell. */
  mark: string;
}

/** A piece of a line; with `node` it is that node's, and takes its colour. */
export interface Segment {
  text: string;
  node: string | undefined;
}

export type Picture = readonly (readonly Segment[])[];

interface Placed {
  name: string;
  /** Undefined for an edge that only passes through this layer. */
  node: DagNode | undefined;
  parents: string[];
  row: number;
}

/** Cells of a label that still says something. */
const narrowest = 4;
const up = 1;
const down = 2;
const left = 4;
const right = 8;
const corners: Readonly<Record<number, string>> = {
  0: ' ',
  1: '│',
  2: '│',
  3: '│',
  4: '─',
  8: '─',
  12: '─',
  5: '┘',
  6: '┐',
  9: '└',
  10: '┌',
  7: '┤',
  11: '├',
  13: '┴',
  14: '┬',
  15: '┼',
};

/**
 * The graph from left to right: a layer of tasks after all their parents, with one lane between layers for each parent, so
 * that two edges never share a line. Nothing when it does not fit; a list says it then.
 */
export function dagPicture(nodes: readonly DagNode[], size: { columns: number; rows: number }): Picture | undefined {
  if (nodes.length === 0) return [];
  const depths = depthsOf(nodes);
  // Most graphs that are too large are so before a single edge is drawn: passages of 1,000 tasks that all depend on each other are 160 million.
  if (
    (Math.max(...depths.values()) + 1) * narrowest > size.columns ||
    nodes.length > (size.rows * size.columns) / narrowest
  )
    return undefined;
  const layers = toLayers(nodes, depths);
  const height = Math.max(...layers.map((layer) => layer.length));
  if (height > size.rows) return undefined;
  place(layers, height);
  const gutters = layers.slice(1).map((layer) => gutter(layer, height));
  const lanes = gutters.reduce((sum, one) => sum + one.width, 0);
  const longest = Math.max(...nodes.map((node) => node.name.length));
  const labelWidth = Math.min(longest, Math.floor((size.columns - lanes) / layers.length) - 3);
  if (labelWidth < Math.min(narrowest, longest)) return undefined;
  return Array.from({ length: height }, (_, row) =>
    layers.flatMap((layer, index): Segment[] => {
      const at = layer.find((placed) => placed.row === row);
      const lines = gutters[index]?.lines[row];
      return [
        ...label(at, labelWidth, { hasNext: lines !== undefined }),
        ...(lines === undefined ? [] : [{ text: lines, node: undefined }]),
      ];
    }),
  );
}

function label(at: Placed | undefined, width: number, { hasNext }: { hasNext: boolean }): Segment[] {
  const full = width + 3;
  if (at === undefined) return [{ text: ' '.repeat(full), node: undefined }];
  if (at.node === undefined) return [{ text: '─'.repeat(full), node: undefined }];
  const text = `${at.node.mark} ${fit(at.node.name, width)}`;
  const rest = full - pad(text, 0).length;
  return [
    { text, node: at.name },
    { text: hasNext ? ' '.repeat(Math.max(0, rest)) : '', node: undefined },
  ];
}

/** By name, the longest way from a root, in one pass. A circle, which no engine takes, is no way: its nodes are roots. */
function depthsOf(nodes: readonly DagNode[]): Map<string, number> {
  const depths = new Map<string, number>();
  const missing = new Map(nodes.map((node) => [node.name, 0]));
  const children = new Map<string, string[]>(nodes.map((node) => [node.name, []]));
  for (const { name, parents } of nodes) {
    for (const parent of parents) {
      if (!missing.has(parent)) continue;
      missing.set(name, (missing.get(name) ?? 0) + 1);
      children.get(parent)?.push(name);
    }
  }
  const ready = [...missing].flatMap(([name, count]) => (count === 0 ? [name] : []));
  const deepest = new Map(ready.map((name) => [name, 0]));
  for (const name of ready) {
    const own = deepest.get(name) ?? 0;
    depths.set(name, own);
    for (const child of children.get(name) ?? []) {
      deepest.set(child, Math.max(deepest.get(child) ?? 0, own + 1));
      const left = (missing.get(child) ?? 0) - 1;
      missing.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  for (const { name } of nodes) if (!depths.has(name)) depths.set(name, 0);
  return depths;
}

/** An edge over several layers gets a passage in each between, which the edges of one parent share. */
function toLayers(nodes: readonly DagNode[], depths: ReadonlyMap<string, number>): Placed[][] {
  const layers: Placed[][] = [];
  const add = (layer: number, placed: Placed): void => {
    (layers[layer] ??= []).push(placed);
  };
  /** By parent, the layer up to which it has passages. */
  const reached = new Map<string, number>();
  const from = (parent: string, layer: number): string =>
    depths.get(parent) === layer ? parent : passage(parent, layer);
  for (const node of nodes) {
    const own = depths.get(node.name) ?? 0;
    const parents = node.parents.filter((parent) => (depths.get(parent) ?? own) < own);
    add(own, { name: node.name, node, parents: parents.map((parent) => from(parent, own - 1)), row: 0 });
    for (const parent of parents) {
      const first = (reached.get(parent) ?? depths.get(parent) ?? 0) + 1;
      for (let layer = first; layer < own; layer++)
        add(layer, { name: passage(parent, layer), node: undefined, parents: [from(parent, layer - 1)], row: 0 });
      reached.set(parent, Math.max(first - 1, own - 1));
    }
  }
  // Tasks of one name, which no engine takes, leave layers empty.
  return Array.from(layers, (layer) => layer ?? []).filter((layer) => layer.length > 0);
}

function passage(parent: string, layer: number): string {
  return `${parent}\0${layer}`;
}

/** Children go beside the middle of their parents, in the order that this gives. */
function place(layers: readonly Placed[][], height: number): void {
  const rows = new Map<string, number>();
  for (const layer of layers) {
    const wish = (placed: Placed): number =>
      placed.parents.length === 0
        ? 0
        : placed.parents.reduce((sum, parent) => sum + (rows.get(parent) ?? 0), 0) / placed.parents.length;
    const sorted = layer
      .map((placed, index) => ({ placed, index, wish: wish(placed) }))
      .sort((a, b) => a.wish - b.wish || a.index - b.index);
    const free = Math.floor((height - layer.length) / 2);
    for (const [index, { placed }] of sorted.entries()) {
      placed.row = free + index;
      rows.set(placed.name, placed.row);
    }
  }
  for (const layer of layers) layer.sort((a, b) => a.row - b.row);
  // Parents' rows are read by name in the gutters.
  for (const layer of layers)
    for (const placed of layer) placed.parents = placed.parents.map((parent) => `${rows.get(parent) ?? 0}`);
}

/** The lines between a layer's parents and itself. */
function gutter(layer: readonly Placed[], height: number): { width: number; lines: string[] } {
  const sources = [...new Set(layer.flatMap((placed) => placed.parents.map(Number)))].sort((a, b) => a - b);
  const width = sources.length + 3;
  const grid = Array.from({ length: height }, () => new Uint8Array(width));
  const mark = (row: number, column: number, bits: number): void => {
    const line = grid[row];
    if (line !== undefined) line[column] = (line[column] ?? 0) | bits;
  };
  for (const [lane, source] of sources.entries()) {
    const targets = layer.filter((placed) => placed.parents.includes(`${source}`)).map((placed) => placed.row);
    const trunk = lane + 1;
    for (let column = 0; column < trunk; column++) mark(source, column, left | right);
    mark(source, trunk, left);
    for (const target of targets) {
      for (let row = Math.min(source, target); row < Math.max(source, target); row++) {
        mark(row, trunk, down);
        mark(row + 1, trunk, up);
      }
      mark(target, trunk, right);
      for (let column = trunk + 1; column < width - 1; column++) mark(target, column, left | right);
    }
  }
  const arrives = new Set(layer.filter((placed) => placed.parents.length > 0).map((placed) => placed.row));
  const passes = new Set(layer.filter((placed) => placed.node === undefined).map((placed) => placed.row));
  return {
    width,
    lines: grid.map(
      (line, row) =>
        [...line.subarray(0, width - 1)].map((bits) => corners[bits] ?? ' ').join('') +
        (passes.has(row) ? '─' : arrives.has(row) ? '▶' : ' '),
    ),
  };
}
