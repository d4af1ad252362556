import { expect, it } from 'vitest';
import { leftOutLines } from '../../../../cli/output/left-out.ts';
import { makeDetail, makeTask } from '../ui/ui-world.ts';

it('names what did not come with a run, and the command that shows it', () => {
  const detail = makeDetail([
    makeTask('small'),
    { ...makeTask('large'), taskId: 'abc', output: null, outputLeftOutBytes: 4_194_304 },
    { ...makeTask('failed'), taskId: 'def', errorLeftOutBytes: 2048 },
  ]);
  expect(leftOutLines(detail)).toEqual([
    'the output of large is left out: 4.0 MiB, `hatchet runs get abc` shows it',
    'the error of failed is left out: 2.0 KiB, `hatchet runs get def` shows it',
  ]);
  expect(leftOutLines(makeDetail([makeTask('small')]))).toEqual([]);
});
