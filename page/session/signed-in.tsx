import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { EngineCalls } from '../data/engine-calls.ts';
import { errorText, Refusal } from '../data/refusal.ts';
import { SignInView } from './sign-in-view.tsx';
import { SessionContext, type Session } from './session.ts';
import { tokenForCode, whoIs, type Me } from './sign-in-calls.ts';
import { forgetToken, storedToken, storeToken } from './stored-token.ts';

type Stage =
  | { stage: 'checking' }
  | { stage: 'out'; reason: string | undefined }
  | { stage: 'in'; token: string; me: Me };

/** The code of a one-time link, taken out of the address bar and out of the history before anything else is done. */
function takeCode(): string | undefined {
  if (location.pathname !== '/sign-in') return undefined;
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  history.replaceState(null, '', '/runs');
  return code ?? undefined;
}

let codeOfLink: string | undefined = takeCode();

/** Shows what is inside to who is signed in; to others, where to sign in. */
export function SignedIn({ children }: { children: ReactNode }): ReactNode {
  const [stage, setStage] = useState<Stage>({ stage: 'checking' });
  const enter = useCallback(async (token: string, options: { stay: boolean | undefined }): Promise<void> => {
    const me = await whoIs(token);
    if (options.stay !== undefined) storeToken(token, { stay: options.stay });
    setStage({ stage: 'in', token, me });
  }, []);
  useEffect(() => {
    void begin(enter).then((reason) => {
      if (reason !== 'in') setStage({ stage: 'out', reason });
    });
  }, [enter]);
  const session = useMemo(() => (stage.stage === 'in' ? sessionOf(stage, setStage) : undefined), [stage]);
  if (session !== undefined) return <SessionContext value={session}>{children}</SessionContext>;
  if (stage.stage === 'out')
    return <SignInView reason={stage.reason} onToken={(token, stay) => enter(token, { stay })} />;
  return (
    <main className="sign-in" aria-busy="true">
      <p className="muted">Signing in…</p>
    </main>
  );
}

/** @returns `in`, or why not; undefined where nothing was tried */
async function begin(
  enter: (token: string, options: { stay: boolean | undefined }) => Promise<void>,
): Promise<string | undefined> {
  const code = codeOfLink;
  codeOfLink = undefined;
  try {
    if (code !== undefined) {
      const token = await tokenForCode(code);
      // At once: the code is used up, and a page that is loaded again now has the token alone.
      storeToken(token, { stay: false });
      await enter(token, { stay: undefined });
      return 'in';
    }
    const token = storedToken();
    if (token === null) return undefined;
    await enter(token, { stay: undefined });
    return 'in';
  } catch (error) {
    if (error instanceof Refusal && error.status === 401 && code === undefined) {
      forgetToken();
      return 'Your token is no longer valid. Sign in again.';
    }
    return errorText(error);
  }
}

function sessionOf({ token, me }: { token: string; me: Me }, setStage: (stage: Stage) => void): Session {
  const signOut = (reason?: string): void => {
    forgetToken();
    setStage({ stage: 'out', reason });
  };
  const calls = new EngineCalls({
    token,
    tenantId: me.tenantId,
    onRefusedToken: () => signOut('The engine no longer takes your token. Sign in again.'),
  });
  return { calls, token, ...me, signOut };
}
