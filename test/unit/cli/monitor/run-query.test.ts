import { expect, it } from 'vitest';
import { fitsQuery, parseRunQuery, queryFilter } from '../../../../cli/monitor/run-query.ts';
import { makeRun } from '../ui/ui-world.ts';

it('reads words of the filter language', () => {
  const query = parseRunQuery(
    'status:failed,running workflow:email since:2030-01-01 customer:"Ada L" order:7 two words',
  );
  expect(queryFilter(query)).toEqual({
    statuses: ['FAILED', 'RUNNING'],
    workflows: ['email'],
    since: new Date('2030-01-01'),
    metadata: { customer: 'Ada L', order: '7' },
    search: 'two words',
  });
  expect(query.problem).toBeUndefined();
  expect(queryFilter(parseRunQuery('  '))).toEqual({});
  // As one types: a word that is not whole yet is no error that hides all.
  expect(queryFilter(parseRunQuery('status:'))).toEqual({ search: 'status:' });
});

it('says which word means nothing, and leaves it out', () => {
  const query = parseRunQuery('status:broken since:yesterday workflow:a');
  expect(query.problem).toContain('since:yesterday means nothing');
  expect(queryFilter(query)).toEqual({ workflows: ['a'] });
});

it('tells of a run whether it fits', () => {
  const run = makeRun(1, { workflow: 'email', status: 'FAILED', metadata: { customer: 'ada' } });
  for (const text of [
    'status:failed',
    'workflow:email,sms',
    'customer:ada',
    'mai',
    'since:2029-01-01 until:2031-01-01',
    run.runId.slice(4, 20),
  ])
    expect([text, fitsQuery(parseRunQuery(text), run)]).toEqual([text, true]);
  for (const text of [
    'status:running',
    'workflow:mail',
    'customer:bob',
    'nothing',
    'since:2031-01-01',
    'until:2029-01-01',
  ])
    expect([text, fitsQuery(parseRunQuery(text), run)]).toEqual([text, false]);
});
