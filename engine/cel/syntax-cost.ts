/**
 * What a parsed expression may cost, from its text alone: a bound on the characters that each part of it can give, and on
 * those that are touched to find it, both as polynomials of the characters of JSON that it reads. Without a loop every
 * part is evaluated at most once, so the bound is the sum over the parts.
 */

/** `c0 + c1 n + c2 n²`, for `n` characters of JSON. */
export interface Bound {
  readonly c0: number;
  readonly c1: number;
  readonly c2: number;
}

export interface SyntaxCost {
  /** Levels of nesting. */
  depth: number;
  /** It loops over a list or map: all, exists, exists_one, map, filter. */
  loops: boolean;
  /** Names that it reads, its own loops' among them. */
  reads: ReadonlySet<string>;
  /** What its result holds at most. */
  size: Bound;
  /** What evaluating it touches at most. Null where the text does not bound it. */
  work: Bound | null;
}

export interface SyntaxNode {
  exprKind: { case?: string | undefined; value?: unknown };
}

/** What a value is worth to whoever goes through it; with `scalar`, one of a known length. */
interface Part {
  size: Bound;
  /** The text of a literal, and the length of any other scalar literal. */
  literal?: string | number;
  /** A list of literals. */
  literals?: true;
  /** Read from one of the variables: a chain of selections goes over each part of the text once. */
  chain?: true;
}

const zero: Bound = { c0: 0, c1: 0, c2: 0 };
const all: Bound = { c0: 0, c1: 1, c2: 0 };
const constant = (c0: number): Bound => ({ c0, c1: 0, c2: 0 });
const sum = (...bounds: Bound[]): Bound =>
  bounds.reduce((left, right) => ({ c0: left.c0 + right.c0, c1: left.c1 + right.c1, c2: left.c2 + right.c2 }));
const times = (bound: Bound, factor: number): Bound => ({
  c0: bound.c0 * factor,
  c1: bound.c1 * factor,
  c2: bound.c2 * factor,
});
/** Sizes are linear: nothing here multiplies texts. */
const product = (left: Bound, right: Bound): Bound => ({
  c0: left.c0 * right.c0,
  c1: left.c0 * right.c1 + left.c1 * right.c0,
  c2: left.c1 * right.c1,
});

export function valueOf({ c0, c1, c2 }: Bound, chars: number): number {
  return c0 + c1 * chars + c2 * chars * chars;
}

/** Characters of a number, a truth value, a time or a type as text. */
const scalarChars = 40;
/** A call looks through its overloads, 1 µs; an `&&` or `||` also keeps the failures of its sides, 8 µs. */
const callWork = 32;
const logicWork = 250;
/** A date in a named time zone: 100 µs. */
const zoneWork = 4000;
/** Going through nested values costs twice what reading a text of the length does. */
const deep = 2;
/** A search for a text in another, by 400 characters of both at once. */
const searchFactor = 1 / 256;
/** A regular expression of one literal character: compiled anew each time, 1.5 µs, and then at each character of the text. */
const patternWork = 100;
const costlyPattern = /\{|\\[pPC]|\(\?/;
const longestCheapPattern = 128;

const comparisons = new Set(['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', 'startsWith', 'endsWith']);
const results = new Set([
  ...comparisons,
  '!_',
  '_&&_',
  '_||_',
  '@in',
  'contains',
  'matches',
  'size',
  'int',
  'uint',
  'double',
  'bool',
  'timestamp',
  'duration',
  'type',
  '_-_',
  '_*_',
  '_/_',
  '_%_',
  '-_',
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getDayOfYear',
  'getSeconds',
  'getMinutes',
  'getHours',
  'getMilliseconds',
]);

export function syntaxCost(root: SyntaxNode): SyntaxCost {
  const walk = new Walk();
  const { depth, loops, reads } = walk.shape(root);
  if (loops) return { depth, loops, reads, size: zero, work: null };
  const { size } = walk.part(root);
  return { depth, loops, reads, size, work: walk.unbounded ? null : sum(walk.work, size) };
}

class Walk {
  work: Bound = zero;
  unbounded = false;

  /** Without recursion: a tree that is too deep must not overflow the stack on its way to being refused. */
  shape(root: SyntaxNode): Pick<SyntaxCost, 'depth' | 'loops' | 'reads'> {
    let depth = 0;
    let loops = false;
    const reads = new Set<string>();
    const open: { value: unknown; level: number }[] = [{ value: root, level: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { value } = next;
      const level = next.level + (isNode(value) ? 1 : 0);
      depth = Math.max(depth, level);
      if (isNode(value) && value.exprKind.case === 'comprehensionExpr') loops = true;
      if (isNode(value) && value.exprKind.case === 'identExpr') reads.add(textOf(value.exprKind.value, 'name'));
      for (const child of childrenOf(value)) open.push({ value: child, level });
    }
    return { depth, loops, reads };
  }

  part({ exprKind: { case: kind, value } }: SyntaxNode): Part {
    switch (kind) {
      case 'constExpr':
        return this.#literal(value);
      case 'identExpr':
        this.#add(all);
        return { size: all, chain: true };
      case 'selectExpr':
        return this.#select(this.#child(value, 'operand'), field(value, 'testOnly') === true);
      case 'listExpr':
        return this.#list(this.#children(value, 'elements'));
      case 'structExpr':
        return this.#struct(value);
      case 'callExpr':
        return this.#call(textOf(value, 'function'), [
          ...this.#children(value, 'target'),
          ...this.#children(value, 'args'),
        ]);
      default:
        this.unbounded = true;
        return { size: zero };
    }
  }

  #add(...bounds: Bound[]): void {
    this.work = sum(this.work, ...bounds);
  }

  #literal(value: unknown): Part {
    const constantKind = field(value, 'constantKind');
    const literal = field(constantKind, 'value');
    if (typeof literal === 'string') return { size: constant(literal.length + 1), literal };
    const length = literal instanceof Uint8Array ? literal.length : scalarChars;
    return { size: constant(length), literal: length };
  }

  #select(operand: Part | undefined, isTest: boolean): Part {
    const size = operand?.size ?? zero;
    this.#add(constant(callWork));
    if (operand?.chain !== true) this.#add(times(size, deep));
    return isTest
      ? { size: constant(scalarChars) }
      : { size, ...(operand?.chain === true ? { chain: true as const } : {}) };
  }

  #list(elements: Part[]): Part {
    this.#add(constant(elements.length + 1));
    return {
      size: sum(constant(elements.length + 2), ...elements.map(({ size }) => size)),
      ...(elements.every(({ literal }) => literal !== undefined) ? { literals: true as const } : {}),
    };
  }

  /** A message of protobuf's is made field by field, at a µs each and more: nothing that an honest expression needs. */
  #struct(value: unknown): Part {
    if (textOf(value, 'messageName') !== '') this.unbounded = true;
    const entries = childrenOf(field(value, 'entries'));
    const keys = entries.flatMap((entry) => this.#children(field(entry, 'keyKind'), 'value'));
    const values = entries.flatMap((entry) => this.#children(entry, 'value'));
    this.#add(constant(callWork), ...keys.map(({ size }) => size));
    return { size: sum(constant(2), ...[...keys, ...values].map(({ size }) => sum(size, constant(1)))) };
  }

  #call(name: string, args: Part[]): Part {
    this.#add(constant(name === '_&&_' || name === '_||_' ? logicWork * args.length : callWork));
    const sizes = args.map(({ size }) => size);
    const [left, right] = args;
    if (left === undefined) return { size: constant(scalarChars) };
    if (name === '_[_]') {
      this.#add(right?.size ?? zero);
      return this.#select(left, false);
    }
    // A choice gives one of its sides, whole.
    if (name === '_?_:_') return { size: sum(...sizes.slice(1)) };
    if (right === undefined) this.#add(name.startsWith('get') ? constant(zoneWork) : left.size);
    else this.#pair(name, left, right);
    if (results.has(name)) return { size: constant(scalarChars) };
    // Bytes of a text are up to three for each of its characters.
    return { size: name === 'bytes' ? times(left.size, 3) : sum(constant(scalarChars), ...sizes) };
  }

  #pair(name: string, left: Part, right: Part): void {
    if (comparisons.has(name)) {
      const literal = [left, right].find((part) => part.literal !== undefined);
      this.#add(literal === undefined ? times(sum(left.size, right.size), deep) : literal.size);
    } else if (name === '@in') this.#in(left, right);
    else if (name === 'contains')
      this.#add(
        left.size,
        right.size,
        ...(right.literal === undefined ? [times(product(left.size, right.size), searchFactor)] : []),
      );
    else if (name === 'matches') this.#matches(left, right);
    else if (name.startsWith('get')) this.#add(constant(zoneWork), right.size);
    else this.#add(left.size, right.size);
  }

  /** Each element is compared with the value; only of a literal is it known that it cannot be a list or map. */
  #in(value: Part, list: Part): void {
    if (value.literal !== undefined) this.#add(times(list.size, deep));
    else if (list.literals === true) this.#add(list.size);
    else this.#add(times(product(sum(value.size, constant(1)), sum(list.size, constant(1))), deep));
  }

  #matches(text: Part, { literal }: Part): void {
    if (typeof literal !== 'string' || literal.length > longestCheapPattern || costlyPattern.test(literal))
      this.unbounded = true;
    else this.#add(constant(patternWork * literal.length), times(text.size, 4 + literal.length));
  }

  #child(value: unknown, name: string): Part | undefined {
    return this.#children(value, name)[0];
  }

  #children(value: unknown, name: string): Part[] {
    const found = field(value, name);
    return (Array.isArray(found) ? found : [found]).filter(isNode).map((node) => this.part(node));
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'exprKind' in value;
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}
