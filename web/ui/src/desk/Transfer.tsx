// Passing a call on: a topic goes to the first free specialist, or a queue, or
// a colleague, or a telephone number that is typed. Opens in the middle column; the bar, the notes and the answer
// in use stay where they are.
import { useEffect, useMemo, useRef, useState } from 'react';
import { Icon } from '../ui/Icon';
import { useDesk, useDeskState, useWords } from './context';
import { StateWord } from './Idle';
import { fold } from './matcher';
import type { ColleagueState } from './protocol';
import { type DeskState, draftOf, type LiveCard, type Target } from './store';
import { useUi } from './ui';
import { queueTitle, topicTitle } from './words';
import { TicketTag } from './Record';

interface Row { key: string; kind: 'topic' | 'queue' | 'agent' | 'number'; title: string; to: Target; digit: number; likely?: boolean; mate?: ColleagueState }

/**
 * Whom the call can be passed on to. A topic and a queue keep their digit for
 * all calls, whatever this one is about and wherever it is: only searching
 * gives the rows others.
 */
export function targets(s: DeskState, c: LiveCard, lang: string): Row[] {
  const likely = c.topic || c.answers?.[0]?.topic;
  const topics = s.topics.map((x, i): Row => ({ key: 'topic:' + x.id, kind: 'topic', title: topicTitle(s, x.id, lang), to: { topic: x.id }, digit: i + 1, likely: x.id === likely }));
  const queues = s.queues.map((x, i): Row => ({ key: 'queue:' + x.id, kind: 'queue', title: queueTitle(s, x.id, lang), to: { queue: x.id }, digit: topics.length + i + 1 }));
  const mates = s.colleagues.filter((x) => x.id !== s.me?.id && x.state !== 'signed_out')
    .map((x, i): Row => ({ key: 'agent:' + x.id, kind: 'agent', title: x.name, to: { agent: x.id }, digit: topics.length + queues.length + i + 1, mate: x }));
  return [...topics, ...queues.filter((r) => r.key !== 'queue:' + c.queue), ...mates];
}

/** What is typed begins like a number: digits are typed then, and choose no row. */
const likeNumber = (query: string) => /^\s*[+0]/.test(query);

/** The number that is typed, as a row; none while it is no number yet. */
export function numberRow(query: string): Row[] {
  const number = query.trim();
  return /^[+0][\d\s().-]{4,}$/.test(number) ? [{ key: 'number', kind: 'number', title: number, to: { number }, digit: 10 }] : [];
}

const optionId = (key: string) => 'xf-' + key.replaceAll(/[^\w-]/g, '-');
const kinds = ['all', 'topic', 'queue', 'agent'] as const;

export function Transfer({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  const ui = useUi();
  const [query, setQuery] = useState('');
  const [kind, setKind] = useState<(typeof kinds)[number]>('all');
  const [chosen, setChosen] = useState('');
  const [note, setNote] = useState('');
  const [sending, setSending] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const sentence = useRef<HTMLTextAreaElement>(null);
  const go = useRef<HTMLButtonElement>(null);
  const dials = s.numbers.length > 0;
  const narrowed = kind !== 'all' || query.trim() !== '';
  const rows = useMemo(() => {
    const words = fold(query).split(/\s+/).filter(Boolean);
    const found = targets(s, c, lang).filter((r) => (kind === 'all' || r.kind === kind) && words.every((w) => fold(r.title).includes(w)));
    if (dials && kind === 'all') found.push(...numberRow(query));
    return narrowed ? found.map((r, i) => ({ ...r, digit: i + 1 })) : found;
  }, [s, c, lang, query, kind, narrowed, dials]);
  // Who narrows the list means its first row, until another one is chosen.
  const pick = rows.find((r) => r.key === chosen) ?? (narrowed ? rows[0] : undefined);

  // Who answers there sees nothing of ours.
  const outside = pick?.kind === 'number';

  useEffect(() => field.current?.focus(), []);
  const send = async (first: boolean) => {
    if (!pick || sending || (first && outside)) return;
    setSending(true);
    const done = await ui.run(first ? desk.askFirst(c, pick.to, note.trim()) : desk.transfer(c, pick.to, outside ? '' : note.trim()));
    setSending(false);
    if (done) ui.setTransfer(false);
  };
  useEffect(() => {
    ui.mainAct.current = () => void send(false);
    return () => void (ui.mainAct.current = null);
  });
  const onKey = (e: React.KeyboardEvent) => {
    if (e.nativeEvent.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.shiftKey) return;
    const d = /^(?:Digit|Numpad)([1-9])$/.exec(e.code)?.[1];
    if (!d || (e.target as HTMLElement).tagName === 'TEXTAREA' || (dials && e.target === field.current && likeNumber(query))) return;
    const row = rows.find((r) => r.digit === Number(d));
    if (!row) return;
    e.preventDefault();
    setChosen(row.key);
  };
  const onFieldKey = (e: React.KeyboardEvent) => {
    if (e.nativeEvent.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.shiftKey) return;
    if (e.key !== 'Enter') return arrows(e, rows, pick, setChosen);
    e.preventDefault();
    if (!pick) return;
    setChosen(pick.key);
    (outside ? go.current : sentence.current)?.focus();
  };
  return (
    <section className="sheet xfer" aria-labelledby="xf" data-testid="transfer-panel" onKeyDown={onKey}>
      <header className="sec row xf-head"><h2 id="xf">{t('xfer.title')}</h2><span className="count cut">{t('xfer.stays')}</span>
        <button type="button" className="btn btn-quiet btn-sm xf-close" onClick={() => ui.setTransfer(false)}>{t('xfer.close')} <kbd>Esc</kbd></button></header>
        <div className="row xf-find">
          <span className="field grow"><Icon name="search" size="sm" /><input ref={field} role="combobox" aria-expanded="true" aria-controls="xf-list" aria-autocomplete="list" aria-activedescendant={pick ? optionId(pick.key) : undefined} aria-label={t(dials ? 'xfer.to_whom_number' : 'xfer.to_whom')} placeholder={t(dials ? 'xfer.to_whom_number' : 'xfer.to_whom')} value={query} onChange={(e) => setQuery(e.currentTarget.value)} data-testid="transfer-search" onKeyDown={onFieldKey} /></span>
          <span className="seg" role="group" aria-label={t('xfer.kinds')}>{kinds.map((k) => <button key={k} type="button" aria-pressed={kind === k} onClick={() => setKind(k)}>{t(`xfer.kind_${k}`)}</button>)}</span>
        </div>
        <div className="scroll grow xf-list" tabIndex={0} role="listbox" id="xf-list" aria-label={t('xfer.to_whom')}>
          {rows.length === 0 && <p className="absent t3" role="option" aria-selected="false">{t('xfer.none')}</p>}
          {(['topic', 'queue', 'agent', 'number'] as const).map((k) => {
            const group = rows.filter((r) => r.kind === k);
            if (group.length === 0) return null;
            return (
              <div key={k} role="group" aria-label={t(`xfer.group_${k}`)}>
                <p className="xf-group" aria-hidden="true">{t(`xfer.group_${k}`)} <span className="t3">{t(`xfer.hint_${k}`)}</span></p>
                {group.map((r) => (
                  <div key={r.key} id={optionId(r.key)} role="option" aria-selected={pick === r} className="xf-row" data-testid={`to-${r.key}`} onClick={() => setChosen(r.key)}>
                    <span>{r.digit < 10 && <kbd className="digit">{r.digit}</kbd>}</span><b className="m cut">{r.title}</b>{r.mate ? <StateWord x={r.mate} /> : <span className="t3 xs">{r.likely && t('xfer.likely')}</span>}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      {outside ? <p className="along t2" data-testid="nothing-along">{t('xfer.nothing_along')}</p> : <div className="along">
        <div><h3 className="h">{t('xfer.along')}</h3>
          <ul className="tickl">
            {c.record && <li><Icon name="check" /><span>{t('xfer.along_record')}</span></li>}
            <li><Icon name="check" /><span>{t('xfer.along_way')}</span></li>
            {draftOf(s, c.call).text.trim() !== '' && <li><Icon name="check" /><span>{t('xfer.along_notes')}</span></li>}
            {(c.used?.length ?? 0) > 0 && <li><Icon name="check" /><span>{t('xfer.along_answers', { count: c.used?.length ?? 0 })}</span></li>}
          </ul></div>
        <div><h3 className="h cut" id="xf-say">{pick ? t('xfer.sentence_to', { name: pick.title }) : t('xfer.sentence')}</h3>
          <textarea ref={sentence} className="note" rows={3} maxLength={500} aria-labelledby="xf-say" value={note} data-testid="transfer-note" onChange={(e) => setNote(e.currentTarget.value)} /></div>
      </div>}
      <div className="go"><span className="t2 xs grow">{t(outside ? 'xfer.if_number' : pick ? 'xfer.if_nobody' : 'xfer.choose_first')}</span>
        <button type="button" className="btn" data-testid="ask-first" aria-disabled={!pick || outside || undefined} title={t(outside ? 'xfer.ask_no_number' : 'xfer.ask_hint')} onClick={() => void send(true)}>{t('xfer.ask')}</button>
        <button type="button" ref={go} className="btn btn-act" data-testid="transfer-go" aria-disabled={!pick || undefined} onClick={() => void send(false)}><Icon name="fwd" size="sm" />{t('xfer.pass')} <kbd>Ctrl Enter</kbd></button></div>
    </section>
  );
}

function arrows(e: React.KeyboardEvent, rows: Row[], pick: Row | undefined, choose: (k: string) => void): void {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
  e.preventDefault();
  const at = pick ? rows.indexOf(pick) : -1;
  const next = rows[e.key === 'ArrowDown' ? Math.min(rows.length - 1, at + 1) : Math.max(0, at - 1)];
  if (next) choose(next.key);
}

/** The record in one line, over the open panel. */
export function OneLine({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const open = (c.record?.tickets ?? []).filter((x) => x.status !== 'closed');
  const fault = (c.record?.products ?? []).find((p) => p.status === 'fault') ?? c.record?.products?.[0];
  if (!c.record) return null;
  return (
    <section className="sheet onel">
      {fault && <b className="m">{fault.name}</b>}
      {fault?.status === 'fault' && fault.note && <span className="tag tag-bad"><Icon name="alert" />{fault.note}</span>}
      <span className="wide-only">{t('tickets.open_long', { count: open.length })}</span>
      {open[0] && <TicketTag x={open[0]} />}
    </section>
  );
}
