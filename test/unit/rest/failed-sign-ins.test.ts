import { expect, it } from 'vitest';
import { FailedSignIns } from '../../../engine/rest/page/failed-sign-ins.ts';

it('an address that sends many codes that are not good waits a minute; no other does', () => {
  const failed = new FailedSignIns();
  for (let n = 0; n < 20; n++) {
    failed.check('a', n);
    failed.add('a', n);
  }
  expect(() => failed.check('a', 59_999)).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  failed.check('b', 59_999);
  failed.check('a', 60_000);
  failed.add('a', 60_000);
  failed.check('a', 60_001);
});
