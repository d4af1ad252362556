import type { Sql, SqlQuery, SqlResult } from '../../engine/postgres/sql-client.ts';
import { Parameters } from './store/parameters.ts';
import { statementModels } from './store/statements/all-statements.ts';
import type { SimulatedStore } from './store/store.ts';
import { Transaction } from './store/transaction.ts';

/** Reads what is committed, at once: for those who look at a simulation from outside. */
export class DirectSql implements Sql {
  readonly #store: SimulatedStore;
  readonly #nowUs: () => number;

  constructor(store: SimulatedStore, nowUs: () => number) {
    this.#store = store;
    this.#nowUs = nowUs;
  }

  async query<Row>(query: string | SqlQuery, given: unknown[] = []): Promise<SqlResult<Row>> {
    const { text, values = given } = typeof query === 'string' ? { text: query, values: given } : query;
    const model = statementModels.get(text);
    if (model === undefined) throw new Error(`the model of the store has no such statement:\n${text}`);
    const nowUs = this.#nowUs();
    const transaction = new Transaction(nowUs);
    const answer = model.run(
      {
        transaction,
        tables: this.#store.tables,
        clockUs: nowUs,
        pid: 0,
        activity: () => [],
        terminate: () => false,
        firstRunUs: nowUs,
      },
      new Parameters(values),
    );
    transaction.rollback();
    if (!isOf<Row>(answer)) throw new Error('no rows');
    return answer;
  }
}

/** Whoever asks knows what the statement's rows are, as with the driver. */
function isOf<Row>(answer: { rows: readonly unknown[] }): answer is SqlResult<Row> {
  return Array.isArray(answer.rows);
}
