import { shardCount } from '../../model/ids/shard-of.ts';
import type { Peer } from '../../model/replica.ts';
import type { SurveySqlRow } from './process-lease.ts';

/** Which engines have which shards, as it was when this process last looked. */
export class ShardMap {
  readonly #self: string;
  readonly #peers: (Peer | undefined)[] = Array.from({ length: shardCount }, () => undefined);
  #reachable: readonly Peer[] = [];

  constructor(self: string) {
    this.#self = self;
  }

  /** Who has a shard: another engine that is alive and takes calls. */
  peerOf(shard: number): Peer | undefined {
    return this.#peers[shard];
  }

  /** All other engines that are alive and take calls. */
  get reachable(): readonly Peer[] {
    return this.#reachable;
  }

  /** @returns the shards that another engine has from now on, and the one before it, or nobody, had before */
  update(rows: readonly SurveySqlRow[]): number[] {
    const known = new Map(this.#reachable.map((peer) => [peer.id, peer]));
    const peers = new Map<string, Peer>();
    const moved: number[] = [];
    for (const row of rows) {
      const peer = this.#peerIn(row, known, peers);
      if (row.id === null) continue;
      if (peer !== undefined && peer !== this.#peers[row.id]) moved.push(row.id);
      this.#peers[row.id] = peer;
    }
    this.#reachable = [...peers.values()];
    return moved;
  }

  /** One object for an engine as long as its addresses are the same. */
  #peerIn(row: SurveySqlRow, known: ReadonlyMap<string, Peer>, seen: Map<string, Peer>): Peer | undefined {
    const { owner: id, alive, grpc_address: grpc, http_address: http } = row;
    if (id === null || id === this.#self || !alive || grpc === null || http === null) return undefined;
    const before = seen.get(id) ?? known.get(id);
    const peer = before?.grpc === grpc && before.http === http ? before : { id, grpc, http };
    seen.set(id, peer);
    return peer;
  }
}
