import { describe, expect, it } from 'vitest';
import { crashReason } from '../../../../cli/dev/trouble/crash-reason.ts';

const reason = (text: string) => crashReason(text.split('\n'), '/home/me/app');

describe('crashReason', () => {
  it('names an error by its first line, and the first place of the project in its stack', () => {
    expect(
      reason(`starting
/home/me/app/src/simple.ts:7
      throw new TypeError('no such customer');
            ^

TypeError [ERR_X]: no such customer
and more of it
    at parse (node:internal/url:12:3)
    at get (/home/me/app/node_modules/lib/index.js:3:9)
    at run (/home/me/app/src/simple.ts:7:13)
    at file:///home/me/app/src/worker.ts:2:1 {
  code: 'ERR_X'
}

Node.js v20.20.2`),
    ).toEqual({ message: 'TypeError [ERR_X]: no such customer', place: 'src/simple.ts:7:13' });
  });

  it('knows a package of the workspace, and the last of several errors', () => {
    expect(
      reason(
        `Error: an earlier one\n    at /home/me/app/src/a.ts:1:1\nUncaught Error: the last\n    at async file:///home/me/with%20space/index.ts:3:4`,
      ),
    ).toEqual({ message: 'Error: the last', place: '../with space/index.ts:3:4' });
  });

  it('names the file where an error of linking has no place', () => {
    expect(
      reason(
        `file:///home/me/app/src/worker.ts:1\nimport { a } from './b.ts';\n         ^\nSyntaxError: The requested module './b.ts' does not provide an export named 'a'\n    at ModuleJob._instantiate (node:internal/modules/esm/module_job:180:21)`,
      ),
    ).toEqual({
      message: "SyntaxError: The requested module './b.ts' does not provide an export named 'a'",
      place: 'src/worker.ts',
    });
  });

  it('takes the last line where there is no error, and says nothing of nothing', () => {
    expect(reason('one\nno such setting\n')).toEqual({ message: 'no such setting', place: undefined });
    expect(crashReason([], '/home/me/app')).toBeUndefined();
  });
});
