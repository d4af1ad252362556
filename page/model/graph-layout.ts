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
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 56, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const names = new Set(nodes.map((node) => node.name));
  for (const { name } of nodes) graph.setNode(name, { width: nodeWidth, height: nodeHeight });
  for (const { name, parents } of nodes)
    for (const parent of new Set(parents)) if (names.has(parent)) graph.setEdge(parent, name);
  dagre.layout(graph);
  const size = graph.graph();
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    nodes: nodes.map(({ name }) => {
      const { x, y } = graph.node(name);
      return { name, x: Math.round(x - nodeWidth / 2), y: Math.round(y - nodeHeight / 2) };
    }),
    edges: graph.edges().map((edge) => ({
      from: edge.v,
      to: edge.w,
      path: pathOf(graph.edge(edge).points ?? []),
    })),
  };
}

/** Smooth through the points: each step leaves and arrives level. */
function pathOf(points: readonly { x: number; y: number }[]): string {
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
