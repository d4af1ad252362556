import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../../cli/dev/program/load-yaml.ts';

describe('hatchet.yaml', () => {
  it('says how the worker is run; files and preCmds may be left out', () => {
    const text =
      'dev:\n  runCmd: python src/worker.py\n  preCmds:\n    - pip install -r requirements.txt\n  files: ["**/*.py", "!**/test_*.py"]\n  envFile: dev.env\ntriggers:\n  - name: simple\n';
    expect(parseYaml(text, 'hatchet.yaml')).toEqual({
      file: 'hatchet.yaml',
      runCmd: 'python src/worker.py',
      preCmds: ['pip install -r requirements.txt'],
      files: ['**/*.py', '!**/test_*.py'],
      envFile: 'dev.env',
    });
    expect(parseYaml('dev: { runCmd: go run . }', 'hatchet.yml')).toEqual({
      file: 'hatchet.yml',
      runCmd: 'go run .',
      preCmds: [],
      files: ['**/*'],
      envFile: undefined,
    });
  });

  it.each([
    ['', /no `dev`/],
    ['dev: [1]', /no `dev`/],
    ['dev:\n  runCmd: "x', /line 2/],
    ['dev: {}', /runCmd is no command/],
    ['dev: { runCmd: [python] }', /runCmd is no command/],
    ['dev: { runCmd: x, files: "*.py" }', /files is no list/],
    ['dev: { runCmd: x, preCmds: [1] }', /preCmds is no list/],
    ['dev: { runcmd: x }', /dev.runcmd is unknown/],
  ])('refuses %j', (text, message) => {
    expect(() => parseYaml(text, 'hatchet.yaml')).toThrow(message);
  });
});
