import { describe, expect, it } from 'vitest';
import { filterWord, hrefOf, routeOf, runHref, runsHref, workflowHref } from '../../../page/address/address.ts';
import { toggled, withWord } from '../../../page/model/filter-edit.ts';

describe('routeOf', () => {
  it('knows every view', () => {
    expect(routeOf('/')).toEqual({ view: 'runs' });
    expect(routeOf('/runs/')).toEqual({ view: 'runs' });
    expect(routeOf('/runs/a')).toEqual({ view: 'run', runId: 'a', tab: 'graph' });
    expect(routeOf('/runs/a/logs')).toEqual({ view: 'run', runId: 'a', tab: 'logs' });
    expect(routeOf('/dead-letters')).toEqual({ view: 'dead-letters' });
  });

  it.each(['/nothing', '/runs/a/nothing', '/runs/a/logs/more', '/queues/a', '/workflows/a/b'])(
    'does not know %s',
    (path) => {
      expect(routeOf(path)).toEqual({ view: 'unknown' });
    },
  );

  it('reads back what it wrote, whatever the name', () => {
    for (const name of ['a/b', 'ä ö', '100%', '?q=1', '#x'])
      expect(routeOf(workflowHref(name))).toEqual({ view: 'workflow', name });
    expect(routeOf('/workflows/%E0%A4%A')).toEqual({ view: 'workflow', name: '%E0%A4%A' });
    expect(runHref('x', 'durable', { task: 'a b' })).toBe('/runs/x/durable?task=a%20b');
    expect(runsHref('')).toBe('/runs');
    expect(hrefOf('/runs', { q: 'status:failed a' })).toBe('/runs?q=status%3Afailed%20a');
  });
});

describe('withWord', () => {
  it('puts a word in once, and takes it out', () => {
    expect(withWord('since:1h abc', 'workflow', 'email')).toBe('since:1h abc workflow:email');
    expect(withWord('workflow:a since:1h', 'workflow', 'b c')).toBe('since:1h workflow:"b c"');
    expect(withWord('workflow:"a b" customer:"x y" z', 'workflow', undefined)).toBe('customer:"x y" z');
    expect(filterWord('k', 'v')).toBe('k:v');
  });

  it('toggles one of several values', () => {
    expect(toggled('', 'status', [], 'failed')).toBe('status:failed');
    expect(toggled('status:failed a', 'status', ['failed'], 'queued')).toBe('a status:failed,queued');
    expect(toggled('status:failed a', 'status', ['failed'], 'failed')).toBe('a');
  });
});
