// The supervisor's page of what became of calls: solved at first contact, passed on,
// repeated, solved without an agent; by topic, team and agent.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { afterCall, type AfterLine, HttpError, type Share, signOut, type User } from '../api/http';
import { LanguageButton } from '../desk/StatusBar';
import { number, percent } from '../format/intl';
import { typeTitle } from '../requests/list';
import { Icon } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';

const spans = [14, 28, 91] as const;
const dimensions = ['topic', 'team', 'agent'] as const;
type Dimension = (typeof dimensions)[number];
type Problem = '' | 'failed' | 'too_large';

const dayMs = 86_400_000;

/** The lines of the last days, null while they are being counted. */
function useLines(days: number, onSignedOut: () => void): { lines: AfterLine[] | null; problem: Problem } {
  const [got, setGot] = useState<{ days: number; lines: AfterLine[] | null; problem: Problem }>({ days, lines: null, problem: '' });
  useEffect(() => {
    let asked = true;
    const now = Date.now();
    setGot({ days, lines: null, problem: '' });
    afterCall(now - days * dayMs, now).then(
      (lines) => asked && setGot({ days, lines, problem: '' }),
      (err: unknown) => {
        if (!asked) return;
        if (err instanceof HttpError && err.status === 401) onSignedOut();
        else setGot({ days, lines: [], problem: err instanceof HttpError && err.code === 'too_large' ? 'too_large' : 'failed' });
      },
    );
    return () => void (asked = false);
  }, [days, onSignedOut]);
  return got;
}

export function AfterCall({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const [days, setDays] = useState<number>(28);
  const { lines, problem } = useLines(days, onSignedOut);
  const all = lines?.find((l) => l.by === 'all');
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  useEffect(() => void (document.title = t('title.after')), [t]);
  return (
    <div className="shell" data-testid="after-page">
      <Rail page={t('rail.after')} icon="redo" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head">
          <h1>{t('after.title')}</h1>
          <span className="seg" role="group" aria-label={t('after.span')}>{spans.map((n) => <button key={n} type="button" aria-pressed={n === days} onClick={() => setDays(n)} data-testid={`span-${n}`}>{t('after.days', { count: n })}</button>)}</span>
          <span className="right"><LanguageButton /></span>
        </header>
        <main className="after">
          {problem && <p className="warn row" role="status"><Icon name="alert" size="sm" />{t(`after.${problem}`)}</p>}
          {!lines && <p className="sheet absent t2 pad" role="status">{t('after.counting')}</p>}
          {all && <Whole l={all} />}
          {all && <Lines lines={lines!} />}
        </main>
      </div>
    </div>
  );
}

/** A share as it is said: whole percents. */
const said = (x: number, lang: string) => percent(x / 100, lang);

function Whole({ l }: { l: AfterLine }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const shared = (s: Share, part: number, of: number) => (s ? [t('after.of', { n: number(part, lang), m: number(of, lang) }), t('after.between', { low: said(s.low, lang), high: said(s.high, lang) })].join(', ') : '');
  const figures: [string, string, string][] = [
    ['solved', l.solved_share ? said(l.solved_share.value, lang) : '–', shared(l.solved_share, l.solved, l.first_contacts)],
    ['repeat', l.repeat_contact ? said(l.repeat_contact.value, lang) : '–', shared(l.repeat_contact, l.repeated, l.followed)],
    ['alone', l.self_service_share ? said(l.self_service_share.value, lang) : '–', shared(l.self_service_share, l.self_service_solved, l.followed)],
    ['rate', l.transfer_rate ? said(l.transfer_rate.value, lang) : '–', l.transferred_back > 0 ? t('after.back_n', { count: l.transferred_back }) : ''],
    ['hops', l.hops_mean === null ? '–' : number(l.hops_mean, lang), t('after.answered', { count: l.answered })],
    ['pending', number(l.not_known_yet, lang), l.unknown_caller > 0 ? t('after.unknown_n', { count: l.unknown_caller }) : ''],
  ];
  return (
    <dl className="sheet strip" data-testid="after-all">
      {figures.map(([key, v, small]) => <div key={key} data-testid={`all-${key}`}><dt>{t(`after.${key}`)}</dt><dd><b>{v}</b>{small && <span>{small}</span>}</dd></div>)}
    </dl>
  );
}

function Lines({ lines }: { lines: AfterLine[] }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const [by, setBy] = useState<Dimension>('topic');
  const shown = lines.filter((l) => l.by === by).sort((a, b) => b.calls - a.calls || a.name.localeCompare(b.name));
  const name = (l: AfterLine) => typeTitle(l.title, lang, l.name.replaceAll('_', ' '));
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t(`after.lines_${by}`)}</h2>
        <span className="seg req-seg" role="group" aria-label={t('after.by')}>{dimensions.map((d) => <button key={d} type="button" aria-pressed={d === by} onClick={() => setBy(d)} data-testid={`by-${d}`}>{t(`after.by_${d}`)}</button>)}</span></header>
      {shown.length === 0 ? <p className="absent t3 pad">{t('after.none')}</p> : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t(`after.by_${by}`)}>
          <table className="tbl tbl-pad" data-testid="after">
            <thead><tr><th>{t(`after.by_${by}`)}</th><th className="r">{t('after.calls')}</th><th className="r">{t('after.solved')}</th><th className="r">{t('after.repeat')}</th><th className="r">{t('after.alone')}</th><th className="r">{t('after.rate')}</th><th className="r">{t('after.hops')}</th><th className="r">{t('after.pending')}</th></tr></thead>
            <tbody>{shown.map((l) => (
              <tr key={l.name} data-testid={`line-${l.name}`}>
                <td><b className="m">{name(l)}</b></td>
                <td className="r num">{number(l.calls, lang)}</td>
                <td className="r"><Shared s={l.solved_share} part={l.solved} of={l.first_contacts} /></td>
                <td className="r"><Shared s={l.repeat_contact} part={l.repeated} of={l.followed} /></td>
                <td className="r"><Shared s={l.self_service_share} part={l.self_service_solved} of={l.followed} /></td>
                <td className="r"><Shared s={l.transfer_rate} part={l.transferred} of={l.answered} /></td>
                <td className="r num">{l.hops_mean === null ? '–' : number(l.hops_mean, lang)}</td>
                <td className="r num">{number(l.not_known_yet, lang)}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      <p className="note-line">{t('after.note')}</p>
    </section>
  );
}

/** A share with its range, which of few calls is wide. */
function Shared({ s, part, of }: { s: Share; part: number; of: number }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  if (!s) return <>–</>;
  const range = { low: said(s.low, lang), high: said(s.high, lang) };
  return (
    <span className="after-share num" title={`${t('after.of', { n: part, m: of })}. ${t('after.between_long', range)}`}>
      <b>{said(s.value, lang)}</b><small>{t('after.between', range)}</small>
    </span>
  );
}
