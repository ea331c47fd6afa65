// After the call: outcome, notes, what follows.
import { useEffect } from 'react';
import { clockTime, duration } from '../format/intl';
import { Icon, Jack, Tag } from '../ui/Icon';
import type { IconName } from '../ui/glyphs';
import { Asks } from './Asks';
import { useDeskState, useNow, useWords } from './context';
import { useReasonWord } from './IdleBar';
import { NoteField, OutcomeCode, outcomeKeys, Saved } from './Notes';
import { panel } from './panels';
import { EarlierNotes, WayList } from './Received';
import { RequestTag } from '../requests/RequestTag';
import { TicketTag } from './Record';
import { openOnes, OpenRequestButton, RequestLink, useCardRequests, useOpenRequest } from './Requests';
import type { LiveCard, LogEntry } from './store';
import { passedOn } from './words';
import { focusOutcome, useWrapUp } from './wrapup';

export function WrapUpDesk({ c }: { c: LiveCard }) {
  return (
    <main className="desk desk-wrap" data-testid="wrap-up">
      <div className="col sheet scroll" tabIndex={0} role="region" aria-label={useWords().t('wrap.what_was')}><WhatWas c={c} /><FromSender c={c} /><section className="sec"><WayList c={c} /></section></div>
      <div className="col col-c"><Outcome /><WrapNotes c={c} /></div>
      <div className="col col-next"><OpenTickets c={c} /><Afterwards c={c} /></div>
    </main>
  );
}

const logIcon: Record<LogEntry['what'], IconName> = { offered: 'phone-in', ringing: 'phone', talking: 'phone', hold: 'pause', resumed: 'play', over: 'phone-off', answer: 'book' };

function WhatWas({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const passed = passedOn(c, useDeskState(), { t, lang });
  const seen = c.log.filter((e) => e.what !== 'hold');
  const earlier = (c.used ?? []).filter((u) => u.agent === c.agent && !seen.some((e) => e.what === 'answer' && e.text === u.title))
    .map((u): LogEntry => ({ at: u.at / 1000, what: 'answer', text: u.title }));
  const all = [...seen, ...earlier].sort((a, b) => a.at - b.at);
  return (
    <section className="sec">
      <header><h2>{t('wrap.what_was')}</h2></header>
      <ol className="done">
        {all.map((e, i) => <li key={i}><time>{clockTime(e.at, lang)}</time>{e.what === 'over' && passed ? <><Icon name="fwd" /><span data-testid="passed-on">{passed}</span></> : <><Icon name={logIcon[e.what]} /><span>{t(`log.${e.what}`, { text: e.text, time: e.ms ? duration(e.ms) : '' })}</span></>}</li>)}
      </ol>
    </section>
  );
}

/** What the sender said and noted; nothing where there is neither. */
function FromSender({ c }: { c: LiveCard }) {
  const { t } = useWords();
  return (
    <>
      {c.from?.note && <section className="sec"><header><h2>{t('from.title', { name: c.from.name })}</h2></header><p data-testid="from-note">{c.from.note}</p></section>}
      <EarlierNotes c={c} />
    </>
  );
}

function Outcome() {
  const { t } = useWords();
  const w = useWrapUp();
  const some = w.codes.length > 0;
  // Digits choose at once, unless somebody is still writing.
  useEffect(() => {
    if (some && document.activeElement === document.body) focusOutcome();
  }, [some]);
  if (!some) return null;
  return (
    <section className="sheet sec">
      <header><h2>{t('outcome.title')}</h2>
        {w.required ? <span className={w.missing ? 'tag tag-bad' : 'tag tag-plain bad'} role={w.missing ? 'alert' : undefined} data-testid="outcome-required"><Icon name="bang" />{t('outcome.required')}</span> : <span className="count">{t('outcome.optional')}</span>}
        <span className="more t3"><kbd>F2 O</kbd></span>
      </header>
      <div className="outcomes" role="radiogroup" aria-label={t('outcome.title')} data-testid="dispositions" onKeyDown={(e) => outcomeKeys(e, w)}>{w.codes.map((x, i) => <OutcomeCode key={x.id} i={i} />)}</div>
      <Asks />
    </section>
  );
}

function WrapNotes({ c }: { c: LiveCard }) {
  const { t } = useWords();
  return (
    <section className="sheet sec notes" {...panel('notes', 'shown')}>
      <header><h2>{t('notes.title')}</h2><span className="count">{t('notes.next_reads')}</span><Saved c={c} /></header>
      <NoteField c={c} placeholder={t('notes.hint')} />
      <p className="xs t3 note-foot">{t('notes.survives')}</p>
    </section>
  );
}

function OpenTickets({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const now = useNow(30_000);
  const open = (c.record?.tickets ?? []).filter((x) => x.status !== 'closed');
  const all = useCardRequests();
  const requests = openOnes(all.list);
  const [onOpen, dialog] = useOpenRequest(all);
  return (
    <section className="sheet sec scroll" tabIndex={0} role="region" aria-label={t('tickets.title')}>
      <header><h2>{t('tickets.title')}</h2><span className="count">{t('tickets.open', { count: open.length + requests.length })}</span><OpenRequestButton c={c} /></header>
      {dialog}
      {requests.map((r) => <div className="line-item" key={r.ref}><Icon name="flag" /><span className="cut" title={r.title}><RequestLink r={r} onOpen={onOpen} /> {r.title}</span><RequestTag r={r} now={now} /></div>)}
      {open.length + requests.length === 0 ? <p className="absent t3">{t('tickets.empty')}</p> : open.map((x) => <div className="line-item" key={x.id}><Icon name="ticket" /><span className="cut" title={x.title}><span className="num t2">{x.id}</span> {x.title}</span><TicketTag x={x} /></div>)}
    </section>
  );
}

function Afterwards({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const s = useDeskState();
  const w = useWrapUp();
  const reason = useReasonWord();
  return (
    <section className="sheet sec">
      <header><h2>{t('wrap.after')}</h2></header>
      <div className="next" role="radiogroup" aria-label={t('wrap.after')}>
        <button type="button" className="code" role="radio" aria-checked={w.next === 'available'} onClick={() => w.setNext('available')}><Jack name="ready" />{t('state.available')}</button>
        {s.reasons.map((r) => <button key={r} type="button" className="code" role="radio" aria-checked={w.next === r} data-testid={`next-${r}`} onClick={() => w.setNext(r)}><Jack name="away" />{reason(r)}</button>)}
      </div>
      {c.endsAt > 0 && <p className="xs t2 wrap-end"><Tag kind="plain" icon="clock">{t(w.required ? 'wrap.ends_required' : 'wrap.ends')}</Tag></p>}
    </section>
  );
}
