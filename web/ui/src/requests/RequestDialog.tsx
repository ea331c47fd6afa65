// One request: what is asked for, what was done about it, and what can be done.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { HttpError, type RequestDeed, type RequestStep, stepRequest, type TrackedRequest, wholeRequest } from '../api/http';
import { toMs } from '../desk/protocol';
import { nearDate } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon } from '../ui/Icon';
import { Dialog } from './Dialog';
import { typeTitle } from './list';
import { RequestTag } from './RequestTag';

export interface Person { id: string; name: string }

/** Who looks at it, and whom it can be given to. */
export interface Viewer { id: string; name: string; supervisor: boolean; people: Person[] }

export function RequestDialog({ ref_, me, now, onClose, onChanged }: { ref_: string; me: Viewer; now: number; onClose: () => void; onChanged: () => void }) {
  const { t } = useTranslation();
  const [r, setR] = useState<TrackedRequest | null>(null);
  const [why, setWhy] = useState('');
  useEffect(() => {
    wholeRequest(ref_).then(setR, () => setWhy('requests.gone'));
  }, [ref_]);
  const run = useCallback(async (deed: RequestDeed) => {
    try {
      setR(await stepRequest(ref_, deed));
      setWhy('');
      onChanged();
      return true;
    } catch (e) {
      setWhy(e instanceof HttpError && e.status === 409 ? 'requests.not_now' : 'requests.refused_step');
      wholeRequest(ref_).then(setR, () => undefined);
      return false;
    }
  }, [ref_, onChanged]);
  return (
    <Dialog title={<><span className="mono">{ref_}</span> {r?.title}</>} testid="request" onClose={onClose}>
      {why && <p className="bad row" role="alert"><Icon name="alert" size="sm" />{t(why)}</p>}
      {r && <><Facts r={r} me={me} now={now} /><Steps r={r} me={me} now={now} /><Deeds r={r} me={me} run={run} /></>}
    </Dialog>
  );
}

export const named = (me: Viewer, id: string) => (id === me.id ? me.name : undefined) ?? me.people.find((p) => p.id === id)?.name ?? id;

/** Whose it is: an agent's, else the team's. */
export const ownerOf = (r: TrackedRequest, me: Viewer): string => (r.owner ? named(me, r.owner) : r.team);

function Facts({ r, me, now }: { r: TrackedRequest; me: Viewer; now: number }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const rows: [string, React.ReactNode][] = [
    [t('requests.type'), typeTitle(r.type_title, lang, r.type)],
    [t('requests.customer'), r.name || r.customer || (r.number ? formatNumber(r.number, '') : t('requests.nobody'))],
    [t('requests.opened'), `${nearDate(toMs(r.opened_at), now, lang)} · ${r.opened_by ? named(me, r.opened_by) : r.source}`],
    [t('requests.owner'), ownerOf(r, me)],
  ];
  if (r.task_of) rows.push([t('requests.task'), <span className="bad" key="task">{named(me, r.task_of)}</span>]);
  return (
    <>
      <p className="row"><RequestTag r={r} now={now} />{r.late && r.state === 'waiting' && <span className="bad">{t('requests.late')}</span>}</p>
      {r.detail && <p className="req-detail">{r.detail}</p>}
      <dl className="req-facts">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
    </>
  );
}

const kinds = ['opened', 'taken', 'given', 'waiting', 'resumed', 'settled', 'closed', 'due_soon', 'escalated', 'untold'];

function Steps({ r, me, now }: { r: TrackedRequest; me: Viewer; now: number }) {
  const { t, i18n } = useTranslation();
  const said = (s: RequestStep) => {
    const name = s.who ? named(me, s.who) : '';
    if (s.kind === 'word') return s.word;
    if (s.kind === 'closed') return t('requests.step_closed', { name, outcome: t(`requests.${s.word}`) });
    if (s.kind === 'opened' && !s.who) return t('requests.step_opened', { name: s.word });
    return kinds.includes(s.kind) ? t(`requests.step_${s.kind}`, { name, to: s.word ? named(me, s.word) : '' }) : s.kind;
  };
  return (
    <ol className="req-steps scroll" tabIndex={0} aria-label={t('requests.history')} data-testid="request-steps">
      {(r.steps ?? []).map((s, i) => (
        <li key={i} data-kind={s.kind} className={s.kind === 'escalated' || s.kind === 'untold' ? 'bad' : undefined}>
          <time className="t3 xs">{nearDate(toMs(s.at), now, i18n.language)}</time>
          <span>{said(s)}{s.kind === 'word' && <small className="t3"> {s.who ? named(me, s.who) : ''}{s.shown && <> · {t('requests.is_shown')}</>}</small>}</span>
        </li>
      ))}
    </ol>
  );
}

function Deeds({ r, me, run }: { r: TrackedRequest; me: Viewer; run: (d: RequestDeed) => Promise<boolean> }) {
  const { t } = useTranslation();
  const [word, setWord] = useState('');
  const [shown, setShown] = useState(false);
  const said = word.trim() ? { word: word.trim(), shown } : {};
  const run1 = async (d: RequestDeed) => {
    if (await run({ ...d, ...said })) {
      setWord('');
      setShown(false);
    }
  };
  const agent = me.people.some((p) => p.id === me.id);
  return (
    <div className="req-deeds">
      <textarea className="note" rows={2} maxLength={900} aria-label={t('requests.word')} placeholder={t('requests.word')} value={word} onChange={(e) => setWord(e.currentTarget.value)} data-testid="request-word" />
      <label className="row"><input type="checkbox" checked={shown} onChange={(e) => setShown(e.currentTarget.checked)} data-testid="request-shown" />{t('requests.show')}</label>
      <div className="row req-do">
        <button type="button" className="btn" aria-disabled={!word.trim() || undefined} onClick={() => word.trim() && void run1({ do: 'word' })} data-testid="do-word">{t('requests.do_word')}</button>
        {r.state !== 'closed' && <>
          {agent && r.owner !== me.id && <button type="button" className="btn" onClick={() => void run1({ do: 'take' })} data-testid="do-take">{t('requests.do_take')}</button>}
          {r.state === 'open' ? <button type="button" className="btn" onClick={() => void run1({ do: 'wait' })} data-testid="do-wait">{t('requests.do_wait')}</button>
            : <button type="button" className="btn" onClick={() => void run1({ do: 'resume' })} data-testid="do-resume">{t('requests.do_resume')}</button>}
          {r.task_of && (r.task_of === me.id || me.supervisor) && <button type="button" className="btn" aria-disabled={!word.trim() || undefined} title={t('requests.settle_hint')} onClick={() => word.trim() && void run1({ do: 'settle' })} data-testid="do-settle">{t('requests.do_settle')}</button>}
          <Choose label={t('requests.do_give')} testid="do-give" options={me.people.filter((p) => p.id !== r.owner).map((p) => [p.id, p.name])} onPick={(to) => void run1({ do: 'give', to })} />
          <Choose label={t('requests.do_close')} testid="do-close" act options={(['done', 'refused', 'withdrawn'] as const).map((o) => [o, t(`requests.${o}`)])} onPick={(outcome) => void run1({ do: 'close', outcome })} />
        </>}
      </div>
    </div>
  );
}

/** A button that asks which. */
function Choose({ label, testid, options, act, onPick }: { label: string; testid: string; options: [string, string][]; act?: boolean; onPick: (id: string) => void }) {
  if (options.length === 0) return null;
  return (
    <select className={act ? 'btn btn-act' : 'btn'} value="" aria-label={label} data-testid={testid} onChange={(e) => e.currentTarget.value && onPick(e.currentTarget.value)}>
      <option value="" disabled>{label}</option>
      {options.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
    </select>
  );
}
