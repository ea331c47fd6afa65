// Which page: the address, and who is signed in.
import { useCallback, useEffect, useState } from 'react';
import { HttpError, type User, whoAmI } from './api/http';
import { Board } from './board/Board';
import { DeskPage } from './desk/DeskPage';
import { i18next } from './i18n';
import { LinkLogin, Login } from './login/Login';
import { usePrefs } from './ui/prefs';

type Who = { is: 'asking' } | { is: 'link'; link: string } | { is: 'nobody'; why: string } | { is: 'here'; user: User };

/** The link's secret, taken out of the address before anything else runs. */
function first(): Who {
  if (location.pathname !== '/in') return { is: 'asking' };
  const link = location.hash.slice(1);
  history.replaceState(null, '', '/login');
  return link ? { is: 'link', link } : { is: 'nobody', why: '' };
}

const start = first();

const homeOf = (u: User) => (u.role !== 'agent' ? '/board' : '/');

export function App() {
  const [who, setWho] = useState<Who>(start);
  const { lang } = usePrefs();
  useEffect(() => void i18next.changeLanguage(lang), [lang]);
  useEffect(() => {
    if (who.is !== 'asking') return;
    whoAmI().then(
      (user) => setWho({ is: 'here', user }),
      (err: unknown) => setWho({ is: 'nobody', why: err instanceof HttpError ? (err.code === 'which_seat' ? 'which_seat' : err.status === 401 ? '' : 'server') : 'offline' }),
    );
  }, [who]);
  const enter = useCallback((user: User) => setWho({ is: 'here', user }), []);
  const fail = useCallback((why: string) => setWho({ is: 'nobody', why }), []);
  const leave = useCallback(() => setWho({ is: 'nobody', why: '' }), []);
  const path = who.is === 'here' ? homeOf(who.user) : who.is === 'nobody' ? '/login' : '';
  useEffect(() => {
    if (path && location.pathname !== path) history.replaceState(null, '', path);
  }, [path]);
  switch (who.is) {
    case 'asking':
      return null;
    case 'link':
      return <LinkLogin link={who.link} onDone={enter} onFailed={fail} />;
    case 'nobody':
      return <Login key={who.why} onDone={enter} ask={who.why} />;
    default:
      return who.user.role !== 'agent' ? <Board user={who.user} onSignedOut={leave} /> : <DeskPage key={who.user.id} user={who.user} onSignedOut={leave} />;
  }
}
