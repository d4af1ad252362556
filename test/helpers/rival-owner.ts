import { Client } from 'pg';
import { newId } from '../../engine/model/ids/uuid.ts';

/** Another engine as the database shows one: it owns shards, its connection is there, and it does nothing. */
export class RivalOwner {
  readonly id = newId();
  readonly #client: Client;

  private constructor(url: string) {
    this.#client = new Client({ connectionString: url, application_name: `hatchet lease ${this.id}` });
  }

  static async connect(url: string): Promise<RivalOwner> {
    const rival = new RivalOwner(url);
    await rival.#client.connect();
    await rival.#client.query(
      `INSERT INTO shard_owner (id, expires_at) VALUES ($1, clock_timestamp() + interval '1 hour')`,
      [rival.id],
    );
    return rival;
  }

  /** As a take-over does after the present owner has been silent for too long. */
  async take(shards: readonly number[] = Array.from({ length: 64 }, (_, id) => id)): Promise<void> {
    await this.#client.query(
      `UPDATE shard SET epoch = epoch + 1, owner = $1, absent_since = coalesce(absent_since, clock_timestamp()) WHERE id = ANY ($2::smallint[])`,
      [this.id, shards],
    );
  }

  /** Its process dies. */
  async vanish(): Promise<void> {
    await this.#client.end();
  }

  /** Gives all back, and is gone. */
  async leave(): Promise<void> {
    await this.#client.query(`UPDATE shard SET owner = NULL WHERE owner = $1`, [this.id]);
    await this.#client.query(`DELETE FROM shard_owner WHERE id = $1`, [this.id]);
    await this.#client.end();
  }
}
