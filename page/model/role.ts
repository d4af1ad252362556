export type Permission = 'read' | 'trigger' | 'work' | 'admin';

/** Each role may do all that those before it may. */
const roles = ['viewer', 'trigger', 'worker', 'admin'] as const;
export type Role = (typeof roles)[number];

const least: Readonly<Record<Permission, Role>> = {
  read: 'viewer',
  trigger: 'trigger',
  work: 'worker',
  admin: 'admin',
};

export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

/** What the page offers; what is done is for the engine to judge. */
export function may(role: Role, needs: Permission): boolean {
  return roles.indexOf(role) >= roles.indexOf(least[needs]);
}
