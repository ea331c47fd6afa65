// Which page: the address, and who is signed in.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AfterCall } from './aftercall/AfterCall';
import { AnswersPage } from './answers/AnswersPage';
import { HttpError, type User, whoAmI } from './api/http';
import { Board } from './board/Board';
import { DeskPage } from './desk/DeskPage';
import { i18next } from './i18n';
import { Interest } from './interest/Interest';
import { LinkLogin, Login } from './login/Login';
import { Merges } from './merges/Merges';
import { RequestsPage } from './requests/RequestsPage';
import { SearchPage } from './search/SearchPage';
import { usePrefs } from './ui/prefs';
import type { Place } from './ui/Rail';

type Who = { is: 'asking' } | { is: 'link'; link: string } | { is: 'nobody'; why: string } | { is: 'here'; user: User };

/** The link's secret, taken out of the address before anything else runs. */
function first(): Who {
  if (location.pathname !== '/in') return { is: 'asking' };
  const link = location.hash.slice(1);
  history.replaceState(null, '', '/login');
  return link ? { is: 'link', link } : { is: 'nobody', why: '' };
}

const start = first();

/** Where a supervisor may be; the first is where one comes in. */
const pages = ['/board', '/requests', '/after-call', '/interest', '/answers', '/search', '/duplicates'];

const homeOf = (u: User, at: string) => (u.role === 'agent' ? '/' : pages.includes(at) ? at : pages[0]!);

/** What a supervisor sees: one page, and the way to the others. */
function Console({ user, at, go, onSignedOut }: { user: User; at: string; go: (to: string) => void; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const all: (Place & { at: string })[] = [
    { at: '/board', name: t('rail.board'), icon: 'users', go: () => go('/board') },
    { at: '/requests', name: t('requests.title'), icon: 'flag', go: () => go('/requests') },
    { at: '/search', name: t('rail.search'), icon: 'search', go: () => go('/search') },
    { at: '/after-call', name: t('rail.after'), icon: 'redo', go: () => go('/after-call') },
    { at: '/interest', name: t('rail.interest'), icon: 'signal', go: () => go('/interest') },
    { at: '/answers', name: t('rail.answers'), icon: 'note', go: () => go('/answers') },
    { at: '/duplicates', name: t('rail.merges'), icon: 'user', go: () => go('/duplicates') },
  ];
  const rest = { user, onSignedOut, places: all.filter((x) => x.at !== at) };
  if (at === '/requests') return <RequestsPage {...rest} />;
  if (at === '/search') return <SearchPage {...rest} />;
  if (at === '/after-call') return <AfterCall {...rest} />;
  if (at === '/interest') return <Interest {...rest} />;
  if (at === '/answers') return <AnswersPage {...rest} />;
  return at === '/duplicates' ? <Merges {...rest} /> : <Board {...rest} />;
}

export function App() {
  const [who, setWho] = useState<Who>(start);
  const [at, setAt] = useState(location.pathname);
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
  const path = who.is === 'here' ? homeOf(who.user, at) : who.is === 'nobody' ? '/login' : '';
  useEffect(() => {
    if (path && location.pathname !== path) history.replaceState(null, '', path);
  }, [path]);
  useEffect(() => {
    const back = () => setAt(location.pathname);
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  const go = useCallback((to: string) => {
    history.pushState(null, '', to);
    setAt(to);
  }, []);
  switch (who.is) {
    case 'asking':
      return null;
    case 'link':
      return <LinkLogin link={who.link} onDone={enter} onFailed={fail} />;
    case 'nobody':
      return <Login key={who.why} onDone={enter} ask={who.why} />;
    default:
      return who.user.role !== 'agent' ? <Console user={who.user} at={path} go={go} onSignedOut={leave} /> : <DeskPage key={who.user.id} user={who.user} onSignedOut={leave} />;
  }
}
