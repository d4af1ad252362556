import type { History } from './moves.ts';
import { World, type Outcome } from './world.ts';

/** What goes wrong in a history, and which. */
export interface Failure {
  history: History;
  outcome: Outcome;
}

export async function simulate(history: History, options?: { keepLines?: boolean }): Promise<Outcome> {
  return new World(history, options).run();
}

/**
 * A shorter history in which something goes wrong still: moves are left out, halves first, then engines, tenants and workers.
 * @param most how many histories are tried
 */
export async function shrink(failure: Failure, most = 300): Promise<Failure> {
  let best = failure;
  let tries = 0;
  const attempt = async (history: History): Promise<boolean> => {
    if (++tries > most) return false;
    const outcome = await simulate(history);
    if (outcome.violation === undefined) return false;
    best = { history, outcome };
    return true;
  };
  for (let size = Math.ceil(best.history.moves.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.history.moves.length;) {
      const { moves } = best.history;
      const left = [...moves.slice(0, from), ...moves.slice(from + size)];
      if (!(await attempt({ ...best.history, moves: left }))) from += size;
    }
  }
  for (let at = best.history.engines.length - 1; at > 0; at--)
    await attempt({ ...best.history, engines: best.history.engines.filter((_, index) => index !== at) });
  await attempt({
    ...best.history,
    engines: best.history.engines.map((each) => ({ ...each, wallAheadMs: 0, rate: 1 })),
  });
  const { sessions, ...withoutSessions } = best.history;
  if (sessions !== undefined) await attempt(withoutSessions);
  await attempt({ ...best.history, tenants: 1 });
  await attempt({ ...best.history, workersOfTenant: 1 });
  return best;
}

/** As a person reads it, and as `--history` takes it. */
export function printed({ history, outcome }: Failure): string {
  const { moves, ...rest } = history;
  const lines = [
    `violation: ${outcome.violation}`,
    `history (${moves.length} moves):`,
    `{"rest":${JSON.stringify(rest)},"moves":[`,
    moves.map((move) => `  ${JSON.stringify(move)}`).join(',\n'),
    ']}',
  ];
  return lines.join('\n');
}
