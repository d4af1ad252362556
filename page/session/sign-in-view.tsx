import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { errorText } from '../data/refusal.ts';

/** For those without a link: a token is typed or pasted. */
export function SignInView({
  reason,
  onToken,
}: {
  reason: string | undefined;
  onToken: (token: string, stay: boolean) => Promise<void>;
}): ReactNode {
  const [token, setToken] = useState('');
  const [stay, setStay] = useState(false);
  const [problem, setProblem] = useState(reason);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · Hatchet';
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token.trim() === '') {
      setProblem('Paste a token first.');
      return;
    }
    setBusy(true);
    onToken(token.trim(), stay).catch((error: unknown) => {
      setProblem(errorText(error));
      setBusy(false);
    });
  };
  return (
    <main className="sign-in">
      <form className="card stack" onSubmit={submit}>
        <h1>Sign in</h1>
        <p>
          Run <code>hatchet page</code> on the engine’s machine: it opens this page with a link that signs you in. Or
          paste a token of <code>hatchet token create</code>.
        </p>
        {problem === undefined ? null : (
          <p className="notice bad" role="alert">
            {problem}
          </p>
        )}
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            autoComplete="off"
            spellCheck={false}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <label className="check">
          <input type="checkbox" checked={stay} onChange={(event) => setStay(event.target.checked)} />
          <span>Stay signed in on this machine</span>
        </label>
        <button className="primary" type="submit" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
