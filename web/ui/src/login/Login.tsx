// Signing in with name and password, or by a one-click link of the demo.
import { PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { HttpError, signIn, signInByLink, type User } from '../api/http';
import { Icon, Logo } from '../ui/Icon';
import { LanguageButton } from '../desk/StatusBar';

const errors = ['bad_login', 'too_many', 'which_seat'];
const errorOf = (err: unknown) => (err instanceof HttpError ? (errors.includes(err.code) ? err.code : err.status === 401 ? 'bad_login' : 'server') : 'offline');

function Frame({ children }: { children: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <main className="login">
      <section className="sheet sec login-box"><header><Logo /><h1>Cordboard</h1><p className="t2">{t('login.motto')}</p></header>{children}</section>
      <p className="login-foot"><LanguageButton /></p>
    </main>
  );
}

export function Login({ onDone, ask }: { onDone: (u: User) => void; ask: string }) {
  const { t } = useTranslation();
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState(ask);
  const [busy, setBusy] = useState(false);
  useEffect(() => void (document.title = t('title.login')), [t]);
  const submit = async (e: React.FormEvent) => {
    e.preventDefault();
    setBusy(true);
    try {
      onDone(await signIn(user.trim(), password));
    } catch (err) {
      setError(errorOf(err));
      setPassword('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Frame>
      <form onSubmit={(e) => void submit(e)} data-testid="login">
        {error && <p className="login-error" role="alert"><Icon name={error === 'which_seat' ? 'user' : 'alert'} size="sm" />{t(`login.${error}`)}</p>}
        <TextInput label={t('login.user')} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} value={user} onChange={(e) => setUser(e.currentTarget.value)} data-autofocus autoFocus required withAsterisk={false} />
        <PasswordInput label={t('login.password')} name="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} required withAsterisk={false} visibilityToggleButtonProps={{ 'aria-label': t('login.show') }} />
        <button type="submit" className="btn btn-act login-go" disabled={busy}>{t(busy ? 'login.busy' : 'login.go')}</button>
      </form>
    </Frame>
  );
}

/** A link works once; its secret stands behind the # and leaves the address at once. */
export function LinkLogin({ link, onDone, onFailed }: { link: string; onDone: (u: User) => void; onFailed: (why: string) => void }) {
  const { t } = useTranslation();
  const sent = useRef(false);
  useEffect(() => {
    if (sent.current) return;
    sent.current = true;
    signInByLink(link).then(onDone, (err: unknown) => onFailed(errorOf(err) === 'bad_login' ? 'bad_link' : errorOf(err)));
  }, [link, onDone, onFailed]);
  return <Frame><p role="status">{t('login.by_link')}</p></Frame>;
}
