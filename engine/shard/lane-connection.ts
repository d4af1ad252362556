import type { ClientConfig } from 'pg';
import { Lane, type Backend } from '../commit/lane.ts';
import { postgresConnector, type Connector } from '../postgres/sql-client.ts';
import { connectionName } from '../postgres/engine-connections.ts';
import { settleLostCommit, type SettledShard } from './ownership/fate-of-lost-commit.ts';

/** The lane's connection, and what comes after it when it is lost. */
export class LaneConnection {
  readonly #config: ClientConfig;
  readonly #owner: string;
  readonly #connector: Connector;
  readonly #onLost: (error: Error) => void;
  #lane: Lane | undefined;
  /** Of the last connection: it may still be at work for us. */
  #backend: Backend | undefined;
  /** Tries to settle what became of the shards since the last one that was answered: each may have raised their epochs. */
  #unanswered = 0;

  constructor(options: { config: ClientConfig; owner: string; onLost: (error: Error) => void; connector?: Connector }) {
    this.#owner = options.owner;
    this.#connector = options.connector ?? postgresConnector;
    this.#config = { ...options.config, application_name: connectionName('lane', options.owner) };
    this.#onLost = options.onLost;
  }

  /** Undefined while there is none, or the last one is known to be lost. */
  get lane(): Lane | undefined {
    return this.#lane;
  }

  async connect(): Promise<void> {
    this.#use(await this.#open());
  }

  /**
   * Cuts what there is, and connects again.
   * @param shards with the epochs that memory knows
   * @returns those that are this owner's still, as they are stored
   */
  async reconnect(shards: readonly { id: number; epoch: number }[]): Promise<SettledShard[]> {
    this.drop();
    const lane = await this.#open();
    try {
      const unanswered = this.#unanswered++;
      const settled = await settleLostCommit(lane.client, {
        owner: this.#owner,
        shards,
        old: this.#backend ?? lane.backend,
        unanswered,
      });
      this.#unanswered = 0;
      this.#use(lane);
      return settled;
    } catch (error) {
      lane.destroy();
      throw error;
    }
  }

  drop(): void {
    this.#lane?.destroy();
    this.#lane = undefined;
  }

  async close(): Promise<void> {
    await this.#lane?.close();
    this.#lane = undefined;
  }

  #use(lane: Lane): void {
    this.#lane = lane;
    this.#backend = lane.backend;
  }

  async #open(): Promise<Lane> {
    let opened: Lane | undefined;
    opened = await Lane.connect(
      this.#config,
      (error) => {
        if (opened === undefined || this.#lane !== opened) return;
        this.#lane = undefined;
        this.#onLost(error);
      },
      this.#connector,
    );
    return opened;
  }
}
