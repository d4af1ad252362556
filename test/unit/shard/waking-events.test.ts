import { expect, it } from 'vitest';
import type { Sql, SqlResult } from '../../../engine/postgres/sql-client.ts';
import { WakingEvents } from '../../../engine/shard/facts/waking-events.ts';

/** Each event has its id as the payload, so many times. */
function scene(repeated = 1): { events: WakingEvents; read: (id: string) => Promise<string[]> } {
  const asked: string[] = [];
  const client: Sql = {
    query: <Row>(query: unknown): Promise<SqlResult<Row>> => {
      const { values = [] } = Object(query);
      const id = String(values[0]);
      asked.push(id);
      const rows: Row[] = JSON.parse(
        JSON.stringify(id === 'gone' ? [] : [{ scope: null, payload: id.repeat(repeated) }]),
      );
      return Promise.resolve({ rows, rowCount: rows.length, command: 'SELECT' });
    },
  };
  const events = new WakingEvents();
  const read = async (id: string): Promise<string[]> => {
    const event = await events.read(client, id);
    expect(event?.payload).toBe(id === 'gone' ? undefined : id.repeat(repeated));
    return asked.splice(0);
  };
  return { events, read };
}

it('an event is read for its first page alone, and the newest eight are kept', async () => {
  const { read } = scene();
  expect(await read('a')).toEqual(['a']);
  expect(await read('a')).toEqual([]);
  for (const id of 'bcdefgh') await read(id);
  expect(await read('a')).toEqual([]);
  await read('i');
  expect(await read('a')).toEqual(['a']);
});

it('a long one, and one that is not there, are read each time', async () => {
  const long = scene(256 * 1024 + 1);
  expect([...(await long.read('a')), ...(await long.read('a'))]).toEqual(['a', 'a']);
  const { read } = scene();
  expect([...(await read('gone')), ...(await read('gone'))]).toEqual(['gone', 'gone']);
});
