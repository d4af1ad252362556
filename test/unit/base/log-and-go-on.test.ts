import { expect, it } from 'vitest';
import { logAndGoOnEach } from '../../../engine/base/log-and-go-on.ts';
import { logLines } from '../../helpers/log-lines.ts';

it('does each, in order, though one throws, and says so', () => {
  const { log, lines } = logLines();
  const done: number[] = [];
  logAndGoOnEach(log, [1, 2, 3], (item) => {
    if (item === 2) throw new Error('two has a fault');
    done.push(item);
  });
  expect(done).toEqual([1, 3]);
  expect(lines).toMatchObject([{ level: 50, err: { message: 'two has a fault' } }]);
});
