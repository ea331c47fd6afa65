// The supervisor's page of what is asked about: rising, falling or steady, week by week;
// by service, customers' segment and region.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { HttpError, interest, type Interest as Answer, type InterestLine, signOut, type User } from '../api/http';
import { LanguageButton } from '../desk/StatusBar';
import { number, percent, shortDate } from '../format/intl';
import { typeTitle } from '../requests/list';
import { Icon } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';

const spans = [13, 26, 52] as const;
const divisions = ['service', 'segment', 'region', 'segment_region'] as const;
type Division = (typeof divisions)[number];

/** The last whole weeks, null while they are being counted. */
function useInterest(weeks: number, onSignedOut: () => void): { answer: Answer | null; failed: boolean } {
  const [got, setGot] = useState<{ answer: Answer | null; failed: boolean }>({ answer: null, failed: false });
  useEffect(() => {
    let asked = true;
    setGot({ answer: null, failed: false });
    interest(weeks).then(
      (answer) => asked && setGot({ answer, failed: false }),
      (err: unknown) => {
        if (!asked) return;
        if (err instanceof HttpError && err.status === 401) onSignedOut();
        else setGot({ answer: null, failed: true });
      },
    );
    return () => void (asked = false);
  }, [weeks, onSignedOut]);
  return got;
}

export function Interest({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const [weeks, setWeeks] = useState<number>(26);
  const [by, setBy] = useState<Division>('service');
  const { answer, failed } = useInterest(weeks, onSignedOut);
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  useEffect(() => void (document.title = t('title.interest')), [t]);
  return (
    <div className="shell" data-testid="interest-page">
      <Rail page={t('rail.interest')} icon="signal" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head">
          <h1>{t('interest.title')}</h1>
          <span className="seg" role="group" aria-label={t('interest.span')}>{spans.map((n) => <button key={n} type="button" aria-pressed={n === weeks} onClick={() => setWeeks(n)} data-testid={`weeks-${n}`}>{t('interest.weeks', { count: n })}</button>)}</span>
          <span className="right"><LanguageButton /></span>
        </header>
        <main className="after interest">
          {failed && <p className="warn row" role="status"><Icon name="alert" size="sm" />{t('interest.failed')}</p>}
          {!answer && !failed && <p className="sheet absent t2 pad" role="status">{t('interest.counting')}</p>}
          {answer?.callers_forgotten && <p className="warn row" role="status"><Icon name="alert" size="sm" />{t('interest.forgotten')}</p>}
          {answer && <Lines answer={answer} by={by} setBy={setBy} />}
        </main>
      </div>
    </div>
  );
}

const order = ['rising', 'falling', 'steady', 'unclear'];

function Lines({ answer, by, setBy }: { answer: Answer; by: Division; setBy: (to: Division) => void }) {
  const { t } = useTranslation();
  const [segment, setSegment] = useState('*');
  const [region, setRegion] = useState('*');
  const of = answer.lines.filter((l) => l.by === by);
  const hasSegment = by === 'segment' || by === 'segment_region', hasRegion = by === 'region' || by === 'segment_region';
  const shown = of.filter((l) => (!hasSegment || segment === '*' || l.segment === segment) && (!hasRegion || region === '*' || l.region === region))
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.calls - a.calls || a.service.localeCompare(b.service));
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t(`interest.lines_${by}`)}</h2>
        <span className="interest-filters">
          {hasSegment && <Choice name="segment" all={t('interest.all_segments')} values={of.map((l) => l.segment)} value={segment} onChange={setSegment} />}
          {hasRegion && <Choice name="region" all={t('interest.all_regions')} values={of.map((l) => l.region)} value={region} onChange={setRegion} />}
          <span className="seg req-seg" role="group" aria-label={t('interest.by')}>{divisions.map((d) => <button key={d} type="button" aria-pressed={d === by} onClick={() => setBy(d)} data-testid={`by-${d}`}>{t(`interest.by_${d}`)}</button>)}</span>
        </span></header>
      {shown.length === 0 ? <p className="absent t3 pad" role="status">{t(answer.lines.length === 0 ? 'interest.young' : of.length === 0 && hasRegion && !answer.callers_forgotten ? 'interest.no_regions' : 'interest.none')}</p> : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t(`interest.lines_${by}`)}>
          <table className="tbl tbl-pad" data-testid="interest">
            <thead><tr><th>{t('interest.by_service')}</th>{hasSegment && <th>{t('interest.by_segment')}</th>}{hasRegion && <th>{t('interest.by_region')}</th>}<th>{t('interest.state')}</th><th className="r">{t('interest.change')}</th><th className="r">{t('interest.calls')}</th><th>{t('interest.weekly')}</th></tr></thead>
            <tbody>{shown.map((l) => <Line key={[l.queue, l.service, l.segment, l.region].join('\n')} l={l} hasSegment={hasSegment} hasRegion={hasRegion} />)}</tbody>
          </table>
        </div>
      )}
      {answer.left_out > 0 && <p className="note-line">{t('interest.left_out', { count: answer.left_out })}</p>}
      <p className="note-line">{t('interest.note')}</p>
    </section>
  );
}

function Choice({ name, all, values, value, onChange }: { name: 'segment' | 'region'; all: string; values: string[]; value: string; onChange: (to: string) => void }) {
  const { t } = useTranslation();
  const list = [...new Set(values)].sort();
  return (
    <select className="field" aria-label={t(`interest.by_${name}`)} value={value} onChange={(e) => onChange(e.target.value)} data-testid={`only-${name}`}>
      <option value="*">{all}</option>
      {list.map((v) => <option key={v} value={v}>{v || t('interest.unknown')}</option>)}
    </select>
  );
}

function Line({ l, hasSegment, hasRegion }: { l: InterestLine; hasSegment: boolean; hasRegion: boolean }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const signed = (x: number) => (x > 0 ? '+' : x < 0 ? '−' : '') + percent(Math.abs(x) / 100, lang);
  return (
    <tr data-state={l.state} data-testid={`line-${[l.service, ...(hasSegment ? [l.segment] : []), ...(hasRegion ? [l.region] : [])].join('-')}`}>
      <td><b className="m">{typeTitle(l.title, lang, l.service.replaceAll('_', ' '))}</b>{l.queue && <span className="t3"> {t('interest.queue')}</span>}</td>
      {hasSegment && <td>{l.segment || <span className="t3">{t('interest.unknown')}</span>}</td>}
      {hasRegion && <td>{l.region || <span className="t3">{t('interest.unknown')}</span>}</td>}
      <td className={l.state === 'unclear' ? 't3' : ''}>{l.was ? <span className="after-share"><b>{t(`interest.${l.state}`)}</b><small>{t(`interest.since_${l.was}`, { date: shortDate(l.since / 1000, Date.now(), lang) })}</small></span> : t(`interest.${l.state}`)}</td>
      <td className="r">{l.change ? <span className="after-share num"><b>{signed(l.change.value)}</b><small>{t('interest.between', { low: signed(l.change.low), high: signed(l.change.high) })}</small></span> : '–'}</td>
      <td className="r num">{number(l.calls, lang)}</td>
      <td><Bars weekly={l.weekly} /></td>
    </tr>
  );
}

/** A bar a week, from nothing to the line's own most. */
function Bars({ weekly }: { weekly: number[] }) {
  const { t, i18n } = useTranslation();
  const most = Math.max(1, ...weekly);
  const said = t('interest.bars', { from: number(weekly[0] ?? 0, i18n.language), to: number(weekly.at(-1) ?? 0, i18n.language) });
  return (
    <svg className="interest-bars" viewBox={`0 0 ${weekly.length} 24`} preserveAspectRatio="none" role="img" aria-label={said}>
      {weekly.map((n, i) => <rect key={i} x={i + 0.12} width={0.76} y={24 - (24 * n) / most} height={(24 * n) / most} />)}
    </svg>
  );
}
