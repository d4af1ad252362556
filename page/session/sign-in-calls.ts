import { fieldsOf, text, type Fields } from '../data/fields.ts';
import { refusalOf, unreachable } from '../data/refusal.ts';
import { isRole, type Role } from '../model/role.ts';

export interface Me {
  tenantId: string;
  tenantName: string;
  role: Role;
  engineVersion: string;
}

/** What a one-time code of a link stands for. @throws Refusal */
export async function tokenForCode(code: string): Promise<string> {
  const answer = await call('/api/v1/page/sign-in', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  return text(answer, 'token');
}

/** @throws Refusal, with the status 401 for a token that is no good */
export async function whoIs(token: string): Promise<Me> {
  const answer = await call('/api/v1/page/me', { headers: { Authorization: `Bearer ${token}` } });
  const role = text(answer, 'role').toLowerCase();
  return {
    tenantId: text(answer, 'tenantId'),
    tenantName: text(answer, 'tenantName'),
    role: isRole(role) ? role : 'viewer',
    engineVersion: text(answer, 'engineVersion'),
  };
}

async function call(path: string, init: RequestInit): Promise<Fields> {
  let status: number;
  let body: string;
  try {
    const response = await fetch(path, { ...init, credentials: 'omit', cache: 'no-store' });
    status = response.status;
    body = await response.text();
  } catch (error) {
    throw unreachable(error);
  }
  if (status < 200 || status > 299) throw refusalOf(status, body);
  return fieldsOf(JSON.parse(body));
}
