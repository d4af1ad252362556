import dagre from '@dagrejs/dagre';

export interface GraphNode {
  name: string;
  /** Names; those that are no node are left out. */
  parents: readonly string[];
}

export interface PlacedNode {
  name: string;
  /** Of its upper left corner, in pixels. */
  x: number;
  y: number;
}

export interface GraphLayout {
  width: number;
  height: number;
  nodes: readonly PlacedNode[];
  edges: readonly { from: string; to: string; /** An SVG path. */ path: string }[];
}

export const nodeWidth = 208;
export const nodeHeight = 56;
const margin = 16;

/** Tasks from left to right, each after its parents. */
export function layoutGraph(nodes: readonly GraphNode[]): GraphLayout {
  // Its declarations cannot be resolved from ES modules of Node: what it answers is named here.
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 56, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const names = new Set(nodes.map((node) => node.name));
  for (const { name } of nodes) graph.setNode(name, { width: nodeWidth, height: nodeHeight });
  for (const { name, parents } of nodes)
    for (const parent of new Set(parents)) if (names.has(parent)) graph.setEdge(parent, name);
  dagre.layout(graph);
  const size: { width?: number; height?: number } = graph.graph();
  const placed: readonly { v: string; w: string }[] = graph.edges();
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    nodes: nodes.map(({ name }) => {
      const { x, y }: Point = graph.node(name);
      return { name, x: Math.round(x - nodeWidth / 2), y: Math.round(y - nodeHeight / 2) };
    }),
    edges: placed.map(({ v, w }) => {
      const { points = [] }: { points?: readonly Point[] } = graph.edge(v, w);
      const [from, to]: [Point, Point] = [graph.node(v), graph.node(w)];
      // From the middle of one side to the middle of the other: dagre's own ends are where the line meets the box, often a corner.
      const ends = [
        { x: from.x + nodeWidth / 2, y: from.y },
        ...points.slice(1, -1),
        { x: to.x - nodeWidth / 2, y: to.y },
      ];
      return { from: v, to: w, path: pathOf(ends) };
    }),
  };
}

interface Point {
  x: number;
  y: number;
}

/** Smooth through the points: each step leaves and arrives level. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${round(first.x)} ${round(first.y)}`;
  let from = first;
  for (const to of rest) {
    const middle = round((from.x + to.x) / 2);
    path += ` C${middle} ${round(from.y)} ${middle} ${round(to.y)} ${round(to.x)} ${round(to.y)}`;
    from = to;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
