import { plainArray } from '../array-literal.ts';
import type { Statement } from '../statement.ts';

/** Fails with 22012 where one is missing: the table is unlogged, so that a crash of Postgres empties it. */
export const assertStaged: Statement<string> = {
  name: 'assert_staged',
  text: `SELECT 1 / (count(s.id) = count(*))::integer FROM unnest($1::uuid[]) AS u (id) LEFT JOIN staged_payload s ON s.id = u.id`,
  values: (ids) => [plainArray(ids)],
};
