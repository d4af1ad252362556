/** Keys that are pressed one after the other, such as `g r`, and those that stand alone. */
export interface ChordState {
  first: string | undefined;
  atMs: number;
}

const patienceMs = 1_500;
const firstKeys: ReadonlySet<string> = new Set(['g']);

export const noChord: ChordState = { first: undefined, atMs: 0 };

/** @returns the keys that now make a command: one, or two with a space between; undefined while another has to come */
export function pressed(
  state: ChordState,
  key: string,
  nowMs: number,
): { state: ChordState; keys: string | undefined } {
  if (state.first !== undefined && nowMs - state.atMs <= patienceMs)
    return { state: noChord, keys: `${state.first} ${key}` };
  if (firstKeys.has(key)) return { state: { first: key, atMs: nowMs }, keys: undefined };
  return { state: noChord, keys: key };
}

export const goKeys: Readonly<Record<string, { href: string; name: string }>> = {
  'g r': { href: '/runs', name: 'Runs' },
  'g f': { href: '/workflows', name: 'Workflows' },
  'g w': { href: '/workers', name: 'Workers' },
  'g q': { href: '/queues', name: 'Queues' },
  'g s': { href: '/schedules', name: 'Schedules' },
  'g e': { href: '/events', name: 'Events' },
  'g h': { href: '/webhooks', name: 'Webhooks' },
  'g d': { href: '/dead-letters', name: 'Dead letters' },
  'g a': { href: '/audit', name: 'Audit' },
};
