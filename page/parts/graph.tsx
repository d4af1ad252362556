import { useMemo, type ReactNode } from 'react';
import { layoutGraph, nodeHeight, nodeWidth, type GraphNode } from '../model/graph-layout.ts';

/** Tasks and what each waits for, left to right. Nodes are buttons where they can be chosen. */
export function Graph({
  label,
  nodes,
  chosen,
  onChoose,
  renderNode,
  statusOf,
}: {
  label: string;
  nodes: readonly GraphNode[];
  chosen?: string | undefined;
  onChoose?: ((name: string) => void) | undefined;
  renderNode: (name: string) => ReactNode;
  /** The class of a node's border. */
  statusOf?: (name: string) => string;
}): ReactNode {
  // What a node says changes often; where it stands only with the names.
  const shape = JSON.stringify(nodes.map(({ name, parents }) => [name, parents]));
  // oxlint-disable-next-line react/exhaustive-deps -- the shape stands for the nodes
  const layout = useMemo(() => layoutGraph(nodes), [shape]);
  const { width, height } = layout;
  return (
    <div className="graph scroll-box" tabIndex={0} role="group" aria-label={label}>
      <div className="graph-canvas" style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {layout.edges.map(({ from, to, path }) => (
            <path key={`${from} ${to}`} d={path} className="edge" />
          ))}
        </svg>
        {layout.nodes.map(({ name, x, y }) => {
          const place = { left: x, top: y, width: nodeWidth, height: nodeHeight };
          const className = `graph-node ${statusOf?.(name) ?? ''}`;
          return onChoose === undefined ? (
            <div key={name} className={className} style={place}>
              {renderNode(name)}
            </div>
          ) : (
            <button
              key={name}
              type="button"
              className={className}
              style={place}
              aria-pressed={chosen === name}
              onClick={() => onChoose(name)}
            >
              {renderNode(name)}
            </button>
          );
        })}
      </div>
    </div>
  );
}
