import { pbkdf2 } from 'node:crypto';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineLogLine } from '../../../../cli/engine-process/engine-log-line.ts';
import { followEngineLog, type EngineLogFollower } from '../../../../cli/engine-process/follow-engine-log.ts';

const derive = promisify(pbkdf2);

describe('engineLogLine', () => {
  it('says when, how grave, what, and the facts', () => {
    expect(
      engineLogLine(
        '{"level":40,"time":"2030-01-01T03:20:11.123Z","msg":"shards taken over","shards":64,"names":["a"]}',
      ),
    ).toBe('03:20:11.123 WARN  shards taken over  shards=64  names=["a"]');
    expect(
      engineLogLine(
        '{"level":50,"time":"2030-01-01T03:20:11.123Z","err":{"type":"Error","message":"gone","stack":"long"},"msg":"no answer"}',
      ),
    ).toBe('03:20:11.123 ERROR no answer: gone');
  });

  it('leaves alone what is no entry', () => {
    for (const line of ['', 'FATAL ERROR: heap', '{"level":', '7', '{"a":1}']) expect(engineLogLine(line)).toBe(line);
  });
});

describe('followEngineLog', () => {
  let folder = '';
  let follower: EngineLogFollower | undefined;
  let lines: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hatchet log '));
    lines = [];
  });
  afterEach(async () => {
    await follower?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (): string => join(folder, 'engine.log');
  const follow = (past: number): void => {
    follower = followEngineLog(path(), { past, onLines: (more) => lines.push(...more) });
  };
  const shows = (expected: readonly string[]): Promise<void> => expect.poll(() => lines).toEqual(expected);

  it('gives whole lines as they come, of a file that is not there yet', async () => {
    follow(0);
    writeFileSync(path(), 'one\ntw');
    await shows(['one']);
    appendFileSync(path(), 'o ä\nthree\n');
    await shows(['one', 'two ä', 'three']);
  });

  it('gives what is written right after the call, however long the file system takes to answer', async () => {
    // Work for every thread that Node asks the file system on.
    const busy = Array.from({ length: 16 }, () => derive('key', 'salt', 200_000, 32, 'sha512'));
    follow(0);
    writeFileSync(path(), 'one\n');
    await shows(['one']);
    await Promise.all(busy);
  });

  it('gives a line that is written within milliseconds of another, with none after it', async () => {
    writeFileSync(path(), '');
    follower = followEngineLog(path(), {
      past: 0,
      onLines: (more) => {
        lines.push(...more);
        if (lines.length % 2 === 1) appendFileSync(path(), 'second\n');
      },
    });
    for (let round = 1; round <= 5; round++) {
      appendFileSync(path(), 'first\n');
      await shows(Array.from({ length: round }, () => ['first', 'second']).flat());
    }
  });

  it('begins with whole lines of the past, as far as it is wanted', async () => {
    writeFileSync(path(), 'first line\nsecond\nthird\n');
    follow(16);
    await shows(['second', 'third']);
    appendFileSync(path(), 'fourth\n');
    await shows(['second', 'third', 'fourth']);
  });

  it('goes on with the next file when one is put aside', async () => {
    writeFileSync(path(), 'a long line of before\n');
    follow(1_000);
    await shows(['a long line of before']);
    renameSync(path(), `${path()}.1`);
    writeFileSync(path(), 'new\n');
    await shows(['a long line of before', 'new']);
    renameSync(path(), `${path()}.1`);
    writeFileSync(path(), 'a longer one than that before it\n');
    await shows(['a long line of before', 'new', 'a longer one than that before it']);
  });
});
