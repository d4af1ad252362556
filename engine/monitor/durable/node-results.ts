import { processHost, type Host } from '../../base/host.ts';
import type { Sql } from '../../postgres/sql-client.ts';
import { nodeKey, readNodeResults, type NodeRef, type NodeResult } from './durable-results.ts';

/** A replay that asks for one node after the other waits for Postgres at every so manieth only. */
const nodesAhead = 100;
/** Longer ones are read when they are asked for: so what is kept of all tasks stays below some 25 MB. */
const longestAhead = 4_096;
/** Tasks whose results are kept ahead; the one that has read longest ago is dropped first. */
const tasksAhead = 64;

interface Waiting {
  ref: NodeRef;
  resolve: (result: NodeResult) => void;
  reject: (error: unknown) => void;
}

/** What follows a node, by `nodeKey`. What a log holds never changes: it is missing here, or right. */
interface Ahead {
  branch: number;
  last: number;
  results: Promise<Map<string, NodeResult>>;
}

/** Reads nodes' results: those of one turn of the loop together, and with them what a replay asks for next. */
export class NodeResults {
  readonly #pool: Sql;
  readonly #host: Host;
  readonly #ahead = new Map<string, Ahead>();
  #waiting: Waiting[] = [];

  constructor(pool: Sql, host: Host = processHost) {
    this.#pool = pool;
    this.#host = host;
  }

  async read(ref: NodeRef): Promise<NodeResult> {
    const ahead = await this.#covering(ref)?.results;
    const known = ahead?.get(nodeKey(ref));
    // Asked for once, unless a stream breaks.
    if (ahead?.delete(nodeKey(ref)) === true && known !== undefined) return known;
    return await new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) this.#host.setImmediate(() => void this.#readAll());
      this.#waiting.push({ ref, resolve, reject });
    });
  }

  #covering({ taskId, branch, node }: NodeRef): Ahead | undefined {
    const ahead = this.#ahead.get(taskId);
    return ahead !== undefined && ahead.branch === branch && node <= ahead.last ? ahead : undefined;
  }

  async #readAll(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#readAhead(waiting.map(({ ref }) => ref));
    try {
      const results = await readNodeResults(
        this.#pool,
        waiting.map(({ ref }) => ref),
      );
      for (const { ref, resolve } of waiting) resolve(results.get(nodeKey(ref)) ?? { output: null, error: null });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Of each task, behind the last node that is read now. */
  #readAhead(refs: readonly NodeRef[]): void {
    const furthest = new Map<string, NodeRef>();
    for (const ref of refs) {
      const known = furthest.get(ref.taskId);
      if (
        this.#covering(ref) === undefined &&
        (known === undefined || known.branch < ref.branch || known.node < ref.node)
      )
        furthest.set(ref.taskId, ref);
    }
    const from = [...furthest.values()].slice(-tasksAhead);
    if (from.length === 0) return;
    const results = this.#following(from);
    for (const { taskId, branch, node } of from) {
      this.#ahead.delete(taskId);
      this.#ahead.set(taskId, { branch, last: node + nodesAhead, results });
    }
    for (const taskId of [...this.#ahead.keys()].slice(0, -tasksAhead)) this.#ahead.delete(taskId);
  }

  async #following(from: readonly NodeRef[]): Promise<Map<string, NodeResult>> {
    const refs = from.flatMap(({ taskId, branch, node }) =>
      Array.from({ length: nodesAhead }, (_, index) => ({ taskId, branch, node: node + 1 + index })),
    );
    try {
      const results = await readNodeResults(this.#pool, refs, longestAhead + 1);
      // What was cut, or may have been.
      for (const [key, { output, error }] of results)
        if ((output?.length ?? 0) > longestAhead || (error?.length ?? 0) > longestAhead) results.delete(key);
      return results;
    } catch {
      return new Map(); // it is read, and fails, when it is asked for
    }
  }
}
