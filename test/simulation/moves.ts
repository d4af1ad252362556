import type { Program } from '../model/durable-program.ts';
import { Chances } from './chances.ts';

/** What happens to a simulation from outside, at a time. Numbers pick among what is there then. */
export type Move = { atMs: number } & (
  | { do: 'trigger'; workflow: string; tenant: number; key: string; count: number; priority: number; repeats: boolean }
  | { do: 'durable'; tenant: number; program: Program }
  | { do: 'event'; tenant: number; key: string }
  | { do: 'cancel' | 'replay'; tenant: number; pick: number }
  | { do: 'schedule'; tenant: number; inMs: number }
  | { do: 'flood'; tenant: number; forMs: number; slowMs: number }
  | { do: 'stallEngine' | 'stallWorker' | 'blockWorker'; pick: number; ms: number }
  | { do: 'crashEngine'; pick: number; noticedMs: number; backMs: number; refusals: number }
  | { do: 'takeShard'; tenant: number }
  | { do: 'stopEngine'; pick: number; backMs: number }
  | { do: 'joinEngine' }
  | { do: 'retireEngine'; pick: number; how: 'stops' | 'crashes'; noticedMs: number }
  | { do: 'rollEngines'; backMs: number }
  | { do: 'cutEngines'; forMs: number }
  | { do: 'isolateEngine'; pick: number; when: 'before' | 'after'; forMs: number }
  | { do: 'crashWorker' | 'vanishWorker'; pick: number; backMs: number }
  | { do: 'cutWorker'; pick: number }
  | { do: 'cutDurable'; pick: number; slowMs: number }
  | { do: 'badNetwork'; forMs: number; share: number }
  | { do: 'slowStore'; forMs: number; ms: number }
  | { do: 'crashStore'; backMs: number }
  | { do: 'stepStoreClock'; byMs: number }
  | { do: 'cut'; of: 'lane' | 'any'; skip: number; when: 'before' | 'after'; losesAnswers: boolean; times: number }
  | { do: 'cutCommit'; when: 'before' | 'after' }
  | { do: 'refuse'; skip: number; sqlstate: string; times: number }
  | { do: 'stallStatement'; skip: number; ms: number }
  | { do: 'delayStatement'; of: 'lane' | 'any'; skip: number; ms: number }
  | { do: 'refuseConnections'; forMs: number; sqlstate: string }
  | { do: 'endBackend'; skip: number; sqlstate: string }
  | { do: 'poison'; pick: number; forMs: number }
  | { do: 'cutLink'; pick: number; first: 'client' | 'server' | 'both'; laterMs: number; awayMs: number }
  | { do: 'holdLink'; pick: number; to: 'client' | 'server'; ms: number }
  | { do: 'stopReading' | 'stallProgram'; pick: number; ms: number }
  | { do: 'loseFrames'; pick: number; to: 'client' | 'server'; afterMs: number; awayMs: number; triggers: number }
  | { do: 'awaitRun'; tenant: number; pick: number }
);

export interface History {
  seed: number;
  /** Engines, which share the shards. */
  engines: readonly { wallAheadMs: number; rate: number; startMs: number }[];
  tenants: number;
  workersOfTenant: number;
  /** Workers that are away, of each shard that no tenant of the history has: hand-overs begin with the shards that have least to do. */
  othersWorkers?: number;
  /** Once all is done, nothing goes wrong for some minutes more. */
  isCalmAfter?: boolean;

  /** Programs that speak by sessions, where there are any. */
  sessions?: {
    /** Of workers, and of triggers, the share that does. */
    workers: number;
    triggers: number;
    /** Once all is done, one of them reads nothing for a while. */
    hasSlowReaderAfter: boolean;
  };
  /** From then on nothing goes wrong any more. */
  endMs: number;
  moves: readonly Move[];
}

const workflowNames = [
  'single',
  'single',
  'diamond',
  'keyed',
  'keyed',
  'newest',
  'limited',
  'gather',
  'waits',
  'waits',
];
const passing = ['40001', '40P01', '55P03', '57014', '53100', '53200'];

/** @param faults how much goes wrong: 0 for nothing, 1 for the usual */
export function historyOf(seed: number, faults = 1): History {
  const chances = new Chances(seed, 'history');
  let endMs = chances.between(6_000, 30_000);
  const engines = chances.pick([1, 1, 2, 2, 3]);
  const tenants = chances.pick([1, 1, 2]);
  const moves: Move[] = [];
  const at = (): number => chances.between(2_000, endMs);
  for (let n = chances.whole(4, 14); n > 0; n--) moves.push({ atMs: at(), ...workOf(chances, tenants) });
  if (faults > 0) {
    const most = Math.round(5 * faults);
    for (let n = chances.whole(0, most); n > 0; n--) moves.push({ atMs: at(), ...faultOf(chances) });
  }
  const sessions = sessionsOf(seed, { tenants, endMs, faults });
  moves.push(...sessions.moves);
  moves.sort((a, b) => a.atMs - b.atMs);
  // Who stands still goes on by itself, and not because all is well again.
  for (const move of moves) if (move.do === 'stallEngine') endMs = Math.max(endMs, move.atMs + move.ms + 5_000);
  return {
    seed,
    engines: Array.from({ length: engines }, (_, index) => ({
      wallAheadMs: faults > 0 && chances.is(0.3) ? chances.pick([-3_600_000, 3_600_000, 90_000_000]) : 0,
      rate: faults > 0 && chances.is(0.3) ? chances.between(0.998, 1.002) : 1,
      startMs: index === 0 ? 0 : chances.between(100, 10_000),
    })),
    tenants,
    workersOfTenant: chances.whole(1, 3),
    endMs,
    moves,
    othersWorkers: engines > 1 && chances.is(0.2) ? chances.pick([1, 3, 4]) : 0,
    isCalmAfter: engines > 1 && chances.is(0.05),
    ...(sessions.sessions === undefined ? {} : { sessions: sessions.sessions }),
  };
}

/** By chances of its own: what happens beside sessions is what happened before there were any here. */
function sessionsOf(
  seed: number,
  { tenants, endMs, faults }: { tenants: number; endMs: number; faults: number },
): { sessions?: History['sessions']; moves: Move[] } {
  const chances = new Chances(seed, 'sessions');
  if (!chances.is(0.4)) return { moves: [] };
  const moves: Move[] = [];
  const at = (): number => chances.between(2_000, endMs);
  for (let n = chances.whole(1, 3); n > 0; n--)
    moves.push({
      atMs: at(),
      do: 'trigger',
      workflow: chances.pick(workflowNames),
      tenant: chances.whole(0, tenants - 1),
      key: chances.pick(['p', 'q']),
      count: chances.is(0.15) ? chances.whole(2, 30) : 1,
      priority: chances.whole(1, 3),
      repeats: chances.is(0.7),
    });
  for (let n = chances.whole(0, 2); n > 0; n--)
    moves.push({ atMs: at(), do: 'awaitRun', tenant: chances.whole(0, tenants - 1), pick: chances.whole(0, 1000) });
  if (faults > 0)
    for (let n = chances.whole(0, Math.round(6 * faults)); n > 0; n--)
      moves.push({ atMs: at(), ...linkFaultOf(chances) });
  return {
    sessions: {
      workers: chances.pick([0.5, 1]),
      triggers: chances.pick([0.5, 1]),
      hasSlowReaderAfter: chances.is(0.08),
    },
    moves,
  };
}

function linkFaultOf(chances: Chances): Unplaced {
  const pick = chances.whole(0, 1000);
  const draw = chances.number();
  if (draw < 0.2)
    return {
      do: 'loseFrames',
      pick,
      to: chances.pick(['client', 'server']),
      afterMs: chances.pick([20, 300, 1_500, 4_000]),
      awayMs: chances.pick([0, 0, 17_000]),
      triggers: chances.whole(0, 4),
    };
  if (draw < 0.5)
    return {
      do: 'cutLink',
      pick,
      first: chances.pick(['client', 'client', 'server', 'both']),
      laterMs: chances.pick([5, 100, 700, 3_000, 12_000]),
      awayMs: chances.pick([0, 0, 0, 1_000, 5_000, 17_000]),
    };
  if (draw < 0.7)
    return { do: 'holdLink', pick, to: chances.pick(['client', 'server']), ms: chances.pick([200, 2_000, 9_000]) };
  if (draw < 0.85) return { do: 'stopReading', pick, ms: chances.pick([500, 6_000, 25_000]) };
  return { do: 'stallProgram', pick, ms: chances.pick([500, 4_000, 18_000]) };
}

type Unplaced = Move extends infer M ? (M extends Move ? Omit<M, 'atMs'> : never) : never;

function workOf(chances: Chances, tenants: number): Unplaced {
  const tenant = chances.whole(0, tenants - 1);
  const draw = chances.number();
  if (draw < 0.55)
    return {
      do: 'trigger',
      workflow: chances.pick(workflowNames),
      tenant,
      key: chances.pick(['p', 'q']),
      count: chances.is(0.2) ? chances.whole(2, 12) : 1,
      priority: chances.whole(1, 3),
      repeats: chances.is(0.7),
    };
  if (draw < 0.67) return { do: 'durable', tenant, program: programOf(chances, 2) };
  if (draw < 0.79) return { do: 'event', tenant, key: chances.pick(['go', 'stop', 'begin', 'a', 'b']) };
  if (draw < 0.86) return { do: 'cancel', tenant, pick: chances.whole(0, 1000) };
  if (draw < 0.93) return { do: 'replay', tenant, pick: chances.whole(0, 1000) };
  if (draw < 0.985) return { do: 'schedule', tenant, inMs: chances.between(500, 20_000) };
  return { do: 'flood', tenant, forMs: chances.between(7_000, 9_000), slowMs: 40 };
}

function programOf(chances: Chances, depth: number): Program {
  const draw = chances.number();
  if (depth > 0 && draw < 0.4)
    return {
      do: chances.pick(['seq', 'all', 'race'] as const),
      parts: Array.from({ length: chances.whole(1, 3) }, () => programOf(chances, depth - 1)),
    };
  if (depth > 0 && draw < 0.48)
    return { do: 'spawn', fails: chances.is(0.2), meanwhile: programOf(chances, depth - 1) };
  if (draw < 0.62) return { do: 'sleep', ms: chances.whole(100, 12_000) };
  if (draw < 0.72) return { do: 'event', key: chances.pick(['a', 'b']) };
  if (draw < 0.82) return { do: 'either', ms: chances.whole(500, 12_000), key: chances.pick(['a', 'b']) };
  if (draw < 0.92) return { do: 'child', fails: false };
  return { do: 'memo' };
}

function faultOf(chances: Chances): Unplaced {
  const pick = chances.whole(0, 1000);
  const backMs = chances.between(500, 25_000);
  const skip = chances.whole(0, 30);
  switch (chances.whole(0, 25)) {
    case 0:
    case 1:
      return { do: 'stallEngine', pick, ms: chances.pick([800, 3_000, 7_000, 15_000, 36_000]) };
    case 2:
      return { do: 'stallWorker', pick, ms: chances.pick([2_000, 8_000, 20_000, 45_000]) };
    case 3:
      return { do: 'blockWorker', pick, ms: chances.pick([3_000, 9_000, 20_000]) };
    case 4:
    case 5:
      return {
        do: 'crashEngine',
        pick,
        noticedMs: chances.pick([0, 0, 10_000]),
        backMs,
        refusals: chances.pick([0, 0, 1, 3]),
      };
    case 6:
      return { do: 'stopEngine', pick, backMs };
    case 7:
      return { do: 'crashWorker', pick, backMs };
    case 8:
      return { do: 'vanishWorker', pick, backMs: chances.pick([10_000, 40_000]) };
    case 9:
      return { do: 'cutWorker', pick };
    case 10:
      return { do: 'cutDurable', pick, slowMs: chances.pick([0, 400, 1_500]) };
    case 11:
      return { do: 'badNetwork', forMs: chances.between(1_000, 10_000), share: chances.pick([0.05, 0.2]) };
    case 12:
      return { do: 'slowStore', forMs: chances.between(500, 8_000), ms: chances.pick([20, 200, 1_500]) };
    case 13:
      return chances.is(0.5)
        ? { do: 'crashStore', backMs: chances.between(100, 6_000) }
        : {
            do: 'refuseConnections',
            forMs: chances.between(1_000, 12_000),
            sqlstate: chances.pick(['53300', '57P03', '']),
          };
    case 14:
      return { do: 'stepStoreClock', byMs: chances.pick([-3_600_000, -5_000, 800, 5_000, 3_600_000]) };
    case 15:
      return {
        do: 'cut',
        of: chances.pick(['lane', 'any']),
        skip,
        when: chances.pick(['before', 'after']),
        losesAnswers: chances.is(0.5),
        times: chances.pick([1, 1, 3]),
      };
    case 16:
      return { do: 'cutCommit', when: chances.pick(['before', 'after']) };
    case 17:
      return { do: 'refuse', skip, sqlstate: chances.pick(passing), times: chances.pick([1, 1, 4]) };
    case 18:
      return chances.pick<() => Unplaced>([
        () => ({ do: 'stallStatement', skip, ms: chances.pick([500, 4_000, 9_000]) }),
        () => ({ do: 'endBackend', skip, sqlstate: '57P01' }),
        () => ({
          do: 'delayStatement',
          of: chances.pick(['lane', 'any']),
          skip,
          ms: chances.pick([300, 3_000, 12_000]),
        }),
      ])();
    case 19:
      return { do: 'takeShard', tenant: chances.whole(0, 1) };
    case 20:
      return { do: 'joinEngine' };
    case 21:
      return {
        do: 'retireEngine',
        pick,
        how: chances.pick(['stops', 'crashes']),
        noticedMs: chances.pick([0, 10_000]),
      };
    case 22:
      return { do: 'rollEngines', backMs: chances.between(500, 5_000) };
    case 23:
      return {
        do: 'isolateEngine',
        pick,
        when: chances.pick(['before', 'after']),
        forMs: chances.between(1_000, 9_000),
      };
    case 24:
      return { do: 'cutEngines', forMs: chances.between(500, 8_000) };
    default:
      return { do: 'poison', pick, forMs: chances.between(1_000, 20_000) };
  }
}
