import { describe, expect, it } from 'vitest';
import { mayCall, leastRole, roles } from '../../../engine/auth/role.ts';
import { defaultLimits, mergedLimits } from '../../../engine/auth/tenant-limits.ts';
import { CallRate } from '../../../engine/edge/limits/call-rate.ts';
import { DailyUse } from '../../../engine/edge/limits/daily-use.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const refused = expect.objectContaining({ code: 'LIMIT_REACHED' });

function taken(work: () => void): unknown {
  try {
    work();
    return 'taken';
  } catch (error) {
    return error;
  }
}

describe('calls a second', () => {
  const limits = mergedLimits({ callsPerSecond: 10 });

  it('may come twice as many at once, then as many as time brings, for each tenant by itself', () => {
    const rate = new CallRate();
    for (let n = 0; n < 20; n++) rate.take(tenantOf('a'), limits, 0);
    expect(taken(() => rate.take(tenantOf('a'), limits, 0))).toEqual(refused);
    rate.take(tenantOf('b'), limits, 0);
    expect(taken(() => rate.take(tenantOf('a'), limits, 99))).toEqual(refused);
    expect(taken(() => rate.take(tenantOf('a'), limits, 200))).toBe('taken');
    // A pause fills it no further than a burst.
    for (let n = 0; n < 20; n++) rate.take(tenantOf('a'), limits, 1_000_000);
    expect(taken(() => rate.take(tenantOf('a'), limits, 1_000_000))).toEqual(refused);
  });
});

describe('what is written a day', () => {
  it('begins anew at midnight', () => {
    const use = new DailyUse('logCharsPerDay');
    const limits = mergedLimits({ logCharsPerDay: 100 });
    use.take(tenantOf('a'), limits, 100, 0);
    expect(taken(() => use.take(tenantOf('a'), limits, 1, 1000))).toEqual(refused);
    use.take(tenantOf('b'), limits, 100, 1000);
    use.take(tenantOf('a'), limits, 100, 86_400_000);
  });
});

describe("a tenant's own limits", () => {
  it('take the place of those that they name; what is no limit says nothing', () => {
    const limits = mergedLimits({ crons: 5, nonsense: 1, filters: 'many', workers: -1, __proto__: { schedules: 1 } });
    expect(limits).toEqual({ ...defaultLimits, crons: 5 });
  });
});

describe('roles', () => {
  it('may each do what those before them may, and more', () => {
    const needs = ['anyone', 'read', 'trigger', 'work', 'admin'] as const;
    for (const [n, role] of roles.entries())
      expect(needs.filter((each) => mayCall(role, each))).toEqual(needs.slice(0, n + 2));
    expect(needs.map(leastRole)).toEqual(['viewer', 'viewer', 'trigger', 'worker', 'admin']);
  });
});
