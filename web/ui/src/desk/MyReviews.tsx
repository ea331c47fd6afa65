// The agent's own standard answers that are due for review, between calls.
import { useEffect, useState } from 'react';
import { dueAnswers } from '../api/http';
import { languageName, shortDate } from '../format/intl';
import { useDesk, useDeskState, useWords } from './context';
import type { Answer } from './protocol';
import { dueSince } from './review';

/** Nothing for who owns none that is due, or while they cannot be read: the supervisor has them too. */
export function MyReviews() {
  const { t, lang } = useWords();
  const desk = useDesk();
  const online = useDeskState().link.is === 'online';
  const [due, setDue] = useState<Answer[]>([]);
  useEffect(() => {
    if (!online) return;
    let asked = true;
    dueAnswers().then((list) => asked && setDue(list), () => undefined);
    return () => void (asked = false);
  }, [online]);
  if (due.length === 0) return null;
  const now = desk.now();
  return (
    <section className="sheet sec scroll msgs" tabIndex={0} role="region" aria-label={t('reviews.title')} data-testid="my-reviews">
      <header><h2>{t('reviews.title')}</h2><span className="count">{due.length}</span></header>
      <ul>{due.map((a) => <li key={a.id + a.lang}><b className="cut" lang={a.lang}>{a.title}</b><p className="t2 xs">{languageName(a.lang, lang)}, {t('reviews.since', { date: shortDate(dueSince(a, now) ?? now, now, lang) })}</p></li>)}</ul>
    </section>
  );
}
