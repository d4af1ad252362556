import { createContext, useContext } from 'react';
import type { EngineCalls } from '../data/engine-calls.ts';
import { may, type Permission, type Role } from '../model/role.ts';

/** Who is signed in, and where. */
export interface Session {
  calls: EngineCalls;
  token: string;
  tenantId: string;
  tenantName: string;
  role: Role;
  engineVersion: string;
  /** @param reason shown where one signs in; none where the person asked for it */
  signOut: (reason?: string) => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('nobody is signed in here');
  return session;
}

export function useCalls(): EngineCalls {
  return useSession().calls;
}

/** Whether the role of who is signed in may do it; where not, why. */
export function usePermission(needs: Permission): { allowed: boolean; reason: string | undefined } {
  const { role } = useSession();
  const allowed = may(role, needs);
  return { allowed, reason: allowed ? undefined : `Needs a token with more rights than the role ${role} has.` };
}
