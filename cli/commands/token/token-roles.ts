import type { Role } from '../../../engine/index.ts';

/** From the least to the most. Here, so that a command's help does not load the engine; a role that is missing does not compile. */
const roles = { viewer: true, trigger: true, worker: true, admin: true } as const satisfies Record<Role, true>;

export const tokenRoles = Object.keys(roles);
