import { HatchetError } from '../base/errors.ts';

/**
 * What a call needs of its token.
 * `read`: sees runs, definitions and figures. `trigger`: starts runs and pushes events, now or later. `work`: registers
 * definitions and workers, takes tasks, reports on them, ends and repeats runs. `admin`: what else changes the tenant.
 * `anyone`: needs no token.
 */
export type Permission = 'anyone' | 'read' | 'trigger' | 'work' | 'admin';

export const roles = ['viewer', 'trigger', 'worker', 'admin'] as const;
/** What a token may do: each role may do all that those before it may. */
export type Role = (typeof roles)[number];

const granted: Record<Role, ReadonlySet<Permission>> = {
  viewer: new Set(['anyone', 'read']),
  trigger: new Set(['anyone', 'read', 'trigger']),
  worker: new Set(['anyone', 'read', 'trigger', 'work']),
  admin: new Set(['anyone', 'read', 'trigger', 'work', 'admin']),
};

export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

export function mayCall(role: Role, needs: Permission): boolean {
  return granted[role].has(needs);
}

/** The least role that may make such a call. */
export function leastRole(needs: Permission): Role {
  return roles.find((role) => mayCall(role, needs)) ?? 'admin';
}

/** @param what the call, as the error names it @throws HatchetError PERMISSION_DENIED */
export function demand(role: Role, needs: Permission, what: string): void {
  if (mayCall(role, needs)) return;
  throw new HatchetError(
    'PERMISSION_DENIED',
    `${what} needs the role ${leastRole(needs)}, and the token has the role ${role}`,
    { remedy: `Use a token made with \`hatchet token create --role ${leastRole(needs)}\`.` },
  );
}
