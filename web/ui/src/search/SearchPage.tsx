// The supervisor's page that looks for words in all customers' interactions.
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { searchAll, signOut, type User } from '../api/http';
import { LanguageButton } from '../desk/StatusBar';
import { type Place, Rail } from '../ui/Rail';
import { Hits, SearchField } from './Hits';
import { useSearch } from './search';

/** How far back, in days; 0 is all. */
const spans = [7, 30, 365, 0];
const dayMs = 86_400_000;

export function SearchPage({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const [days, setDays] = useState(30);
  const find = useCallback((words: string, after: string) => searchAll(words, days ? new Date(Date.now() - days * dayMs).toISOString() : null, after), [days]);
  const s = useSearch(find, onSignedOut);
  useEffect(() => void (document.title = t('title.search')), [t]);
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  const asked = s.asked !== '';
  const again = useRef(s.again);
  again.current = s.again;
  useEffect(() => again.current(), [days]); // another span asks anew
  return (
    <div className="shell" data-testid="search-page">
      <Rail page={t('rail.search')} icon="search" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head"><h1>{t('search.title')}</h1><span className="right"><LanguageButton /></span></header>
        <main className="search-page">
          <section className="sheet">
            <header className="sec row">
              <SearchField id="search-all" label={t('search.title')} value={s.words} onChange={s.setWords} onSearch={s.start} onEnd={s.end} />
              <span className="seg" role="group" aria-label={t('search.since')}>{spans.map((d) => <button key={d} type="button" aria-pressed={d === days} onClick={() => setDays(d)} data-testid={`days-${d}`}>{t(`search.days_${d}`)}</button>)}</span>
            </header>
            {asked ? <Hits s={s} whose /> : <p className="absent t2 pad">{t('search.hint')}</p>}
          </section>
        </main>
      </div>
    </div>
  );
}
