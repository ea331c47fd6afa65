// The supervisor's page of the standard answers: topics that are asked about and have
// none, and answers that are due for review, with who is to see to it.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type AnswerGaps, answerGaps, HttpError, signOut, type User } from '../api/http';
import { LanguageButton } from '../desk/StatusBar';
import { languageName, number, shortDate } from '../format/intl';
import { typeTitle } from '../requests/list';
import { Icon, Tag } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';

/** The gaps as they are now, null while they are being counted. */
function useGaps(onSignedOut: () => void): { gaps: AnswerGaps | null; failed: boolean } {
  const [gaps, setGaps] = useState<AnswerGaps | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let asked = true;
    answerGaps().then(
      (g) => asked && setGaps(g),
      (err: unknown) => {
        if (!asked) return;
        if (err instanceof HttpError && err.status === 401) onSignedOut();
        else setFailed(true);
      },
    );
    return () => void (asked = false);
  }, [onSignedOut]);
  return { gaps, failed };
}

export function AnswersPage({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const { gaps, failed } = useGaps(onSignedOut);
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  useEffect(() => void (document.title = t('title.answers')), [t]);
  return (
    <div className="shell" data-testid="answers-page">
      <Rail page={t('rail.answers')} icon="note" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head"><h1>{t('answers.title')}</h1><span className="right"><LanguageButton /></span></header>
        <main className="after gaps">
          {failed && <p className="warn row" role="status"><Icon name="alert" size="sm" />{t('after.failed')}</p>}
          {!gaps && !failed && <p className="sheet absent t2 pad" role="status">{t('after.counting')}</p>}
          {gaps && <Whole g={gaps} />}
          {gaps && <Topics g={gaps} />}
          {gaps && <Due g={gaps} />}
        </main>
      </div>
    </div>
  );
}

const without = (g: AnswerGaps) => g.topics.filter((x) => Object.keys(x.answers).length === 0);

function Whole({ g }: { g: AnswerGaps }) {
  const { t, i18n } = useTranslation();
  const figures: [string, number][] = [['all', g.answers], ['gaps', without(g).length], ['due', g.due.length], ['unowned', g.unowned]];
  return <dl className="sheet strip" data-testid="gaps-all">{figures.map(([key, n]) => <div key={key} data-testid={`gaps-${key}`}><dt>{t(`gaps.${key}`)}</dt><dd><b>{number(n, i18n.language)}</b></dd></div>)}</dl>;
}

function Topics({ g }: { g: AnswerGaps }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t('gaps.topics')}</h2></header>
      {g.topics.length === 0 ? <p className="absent t3 pad">{t('gaps.no_topics')}</p> : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t('gaps.topics')}>
          <table className="tbl tbl-pad" data-testid="gaps">
            <thead><tr><th>{t('after.by_topic')}</th><th className="r">{t('after.calls')}</th>{g.langs.map((l) => <th key={l} className="r">{languageName(l, lang)}</th>)}<th>{t('gaps.who')}</th></tr></thead>
            <tbody>{g.topics.map((x) => (
              <tr key={x.name} data-testid={`gap-${x.name}`}>
                <td><b className="m">{typeTitle(x.title, lang, x.name.replaceAll('_', ' '))}</b>{Object.keys(x.answers).length === 0 && <> <Tag kind="bad" icon="alert">{t('gaps.none')}</Tag></>}</td>
                <td className="r num">{number(x.calls, lang)}</td>
                {g.langs.map((l) => <td key={l} className="r num">{x.answers[l] ? number(x.answers[l], lang) : '–'}</td>)}
                <td>{x.specialists.join(', ') || '–'}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      <p className="note-line">{t('gaps.note')}</p>
    </section>
  );
}

function Due({ g }: { g: AnswerGaps }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t('gaps.due')}</h2></header>
      {g.due.length === 0 ? <p className="absent t3 pad">{t('gaps.no_due')}</p> : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t('gaps.due')}>
          <table className="tbl tbl-pad" data-testid="due">
            <thead><tr><th>{t('gaps.answer')}</th><th>{t('gaps.language')}</th><th>{t('gaps.owner')}</th><th className="r">{t('gaps.since')}</th></tr></thead>
            <tbody>{g.due.map((a) => (
              <tr key={a.id + a.lang} data-testid={`due-${a.id}-${a.lang}`}>
                <td><b className="m" lang={a.lang}>{a.title}</b></td>
                <td>{languageName(a.lang, lang)}</td>
                <td>{a.owner || <span className="warn">{t('gaps.nobody')}</span>}</td>
                <td className="r num">{shortDate(new Date(`${a.review}T00:00:00`).getTime(), Date.now(), lang)}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}
