import { expect, it } from 'vitest';
import { processEnv } from '../../../../cli/dev/worker-env.ts';

const name = 'HATCHET_CLIENT_WORKER_PRESET_LABELS';

it('a process names itself to the engine beside the labels that its caller presets', () => {
  expect(JSON.parse(processEnv({ A: '1' }, 'p')[name] ?? '')).toEqual({ hatchet__process: 'p' });
  expect(processEnv({ A: '1' }, 'p')['A']).toBe('1');
  expect(JSON.parse(processEnv({ [name]: '{"region":"eu"}' }, 'p')[name] ?? '')).toEqual({ region: 'eu', hatchet__process: 'p' });
});

it('leaves labels that are no JSON to the SDK, which refuses them', () => {
  expect(processEnv({ [name]: 'region=eu' }, 'p')).toEqual({ [name]: 'region=eu' });
});
