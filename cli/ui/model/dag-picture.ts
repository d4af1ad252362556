import { fit, pad } from '../../output/table.ts';

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

const up = 1;
const down = 2;
const left = 4;
const right = 8;
const corners: Readonly<Record<number, string>> = { 0: ' ', 1: '│', 2: '│', 3: '│', 4: '─', 8: '─', 12: '─', 5: '┘', 6: '┐', 9: '└', 10: '┌', 7: '┤', 11: '├', 13: '┴', 14: '┬', 15: '┼' };

/**
 * The graph from left to right: a layer of tasks after all their parents, with one lane between layers for each parent, so
 * that two edges never share a line. Nothing when it does not fit; a list says it then.
 */
export function dagPicture(nodes: readonly DagNode[], size: { columns: number; rows: number }): Picture | undefined {
  const layers = toLayers(nodes);
  if (layers.length === 0) return [];
  const height = Math.max(...layers.map((layer) => layer.length));
  if (height > size.rows) return undefined;
  place(layers, height);
  const gutters = layers.slice(1).map((layer) => gutter(layer, height));
  const lanes = gutters.reduce((sum, one) => sum + one.width, 0);
  const longest = Math.max(...nodes.map((node) => node.name.length));
  const labelWidth = Math.min(longest, Math.floor((size.columns - lanes) / layers.length) - 3);
  if (labelWidth < Math.min(4, longest)) return undefined;
  return Array.from({ length: height }, (_, row) =>
    layers.flatMap((layer, index): Segment[] => {
      const at = layer.find((placed) => placed.row === row);
      const lines = gutters[index]?.lines[row];
      return [...label(at, labelWidth, { hasNext: lines !== undefined }), ...(lines === undefined ? [] : [{ text: lines, node: undefined }])];
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

/** Layers by longest way from a root; an edge over several layers gets a passage in each between. */
function toLayers(nodes: readonly DagNode[]): Placed[][] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const depths = new Map<string, number>();
  const depth = (name: string, seen: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const parents = (byName.get(name)?.parents ?? []).filter((parent) => byName.has(parent) && !seen.has(parent));
    const own = parents.length === 0 ? 0 : 1 + Math.max(...parents.map((parent) => depth(parent, new Set([...seen, name]))));
    depths.set(name, own);
    return own;
  };
  const layers: Placed[][] = [];
  const add = (layer: number, placed: Placed): void => {
    (layers[layer] ??= []).push(placed);
  };
  for (const node of nodes) {
    const own = depth(node.name, new Set());
    const parents = node.parents.filter((parent) => (depths.get(parent) ?? own) < own && byName.has(parent));
    add(own, { name: node.name, node, parents: parents.map((parent) => (depth(parent, new Set()) === own - 1 ? parent : passage(parent, own - 1))), row: 0 });
    for (const parent of parents) {
      for (let layer = depth(parent, new Set()) + 1; layer < own; layer++) {
        const name = passage(parent, layer);
        if (layers[layer]?.some((placed) => placed.name === name) === true) continue;
        add(layer, { name, node: undefined, parents: [layer - 1 === depth(parent, new Set()) ? parent : passage(parent, layer - 1)], row: 0 });
      }
    }
  }
  // A circle, which no engine takes, leaves layers empty.
  return Array.from(layers, (layer) => layer ?? []).filter((layer) => layer.length > 0);
}

function passage(parent: string, layer: number): string {
  return `${parent}\0${layer}`;
}

/** Children go beside the middle of their parents, in the order that this gives. */
function place(layers: readonly Placed[][], height: number): void {
  const rows = new Map<string, number>();
  for (const layer of layers) {
    const wish = (placed: Placed): number => (placed.parents.length === 0 ? 0 : placed.parents.reduce((sum, parent) => sum + (rows.get(parent) ?? 0), 0) / placed.parents.length);
    const sorted = layer.map((placed, index) => ({ placed, index, wish: wish(placed) })).sort((a, b) => a.wish - b.wish || a.index - b.index);
    const free = Math.floor((height - layer.length) / 2);
    for (const [index, { placed }] of sorted.entries()) {
      placed.row = free + index;
      rows.set(placed.name, placed.row);
    }
  }
  for (const layer of layers) layer.sort((a, b) => a.row - b.row);
  // Parents' rows are read by name in the gutters.
  for (const layer of layers) for (const placed of layer) placed.parents = placed.parents.map((parent) => `${rows.get(parent) ?? 0}`);
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
    lines: grid.map((line, row) => [...line.subarray(0, width - 1)].map((bits) => corners[bits] ?? ' ').join('') + (passes.has(row) ? '─' : arrives.has(row) ? '▶' : ' ')),
  };
}
