import { describe, expect, it } from 'vitest';
import { RestartAfterBuild } from '../../../../cli/dev/workers/restart-after-build.ts';

const env = '/project/.env';
const same = { changed: false, changedFiles: [] };
const saved = { changed: true, changedFiles: ['/project/worker.ts'] };

/** With a worker that is up at 0 ms. */
function served(): RestartAfterBuild {
  const restart = new RestartAfterBuild(env);
  restart.workerStarting();
  restart.workerReady(0);
  return restart;
}

describe('RestartAfterBuild', () => {
  it('restarts for changed code, and for code that changed without a file', () => {
    const restart = served();
    expect(restart.built(saved, 10_000)).toBe('restart');
    expect(restart.built({ changed: true, changedFiles: [] }, 20_000)).toBe('restart');
    expect(restart.built(same, 30_000)).toBe('none');
  });

  it('restarts once for a change of the environment, although the code is the same', () => {
    const restart = served();
    restart.saved(['/project/worker.ts', env]);
    expect(restart.built(same, 10_000)).toBe('restart');
    expect(restart.built(same, 20_000)).toBe('none');
  });

  it('leaves a worker alone that changes its own code at each start, until the environment changes', () => {
    const restart = served();
    const build = (): string => {
      const answer = restart.built(saved, 0);
      if (answer === 'restart') {
        restart.workerStarting();
        restart.workerReady(0);
      }
      return answer;
    };
    expect([build(), build(), build(), build(), build()]).toEqual(['restart', 'restart', 'restart', 'hold', 'held']);
    restart.saved([env]);
    expect(build()).toBe('restart');
  });
});
