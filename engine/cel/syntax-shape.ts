/** What the limits need to know of a parsed expression. */
export interface SyntaxShape {
  /** Levels of nesting. */
  depth: number;
  /** It loops over a list or map: all, exists, exists_one, map, filter. */
  loops: boolean;
}

interface Node {
  exprKind: { case?: string | undefined; value?: unknown };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'exprKind' in value;
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : [];
}

/** Walks without recursion: a tree that is too deep must not overflow the stack on its way to being refused. */
export function syntaxShape(root: unknown): SyntaxShape {
  let depth = 0;
  let loops = false;
  const open: { value: unknown; level: number }[] = [{ value: root, level: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value } = next;
    const level = next.level + (isNode(value) ? 1 : 0);
    depth = Math.max(depth, level);
    if (isNode(value) && value.exprKind.case === 'comprehensionExpr') loops = true;
    for (const child of childrenOf(value)) open.push({ value: child, level });
  }
  return { depth, loops };
}
