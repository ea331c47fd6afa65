// Notes and outcome: written at any moment of a card's life, kept as typed.
import { clockSeconds } from '../format/intl';
import { Icon } from '../ui/Icon';
import { useDesk, useDeskState, useWords } from './context';
import { panel } from './panels';
import { OpenRequestButton } from './Requests';
import { isOffer } from './protocol';
import { draftOf, type LiveCard } from './store';
import { titleIn } from './words';
import { useWrapUp, type WrapUp } from './wrapup';
import { useLayoutEffect, useRef, useState } from 'react';

const maxNote = 4000;
const shortCodes = 3;

export function Saved({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const d = draftOf(s, c.call);
  if (d.text !== d.sent) return <span className="more t3">{t(s.link.is === 'online' ? 'notes.saving' : 'notes.kept_here')}</span>;
  if (!d.savedAt) return null;
  return <span className="more ok row" style={{ gap: 4 }} data-testid="note-saved"><Icon name="check" size="sm" />{t('notes.saved_at', { time: clockSeconds(d.savedAt, lang) })}</span>;
}

/**
 * Where somebody was writing when the page around the field was drawn anew (a
 * record found late, the call over): the field that takes its place goes on.
 */
let written: { call: number; start: number; end: number } | null = null;

export function NoteField({ c, placeholder }: { c: LiveCard; placeholder: string }) {
  const { t } = useWords();
  const desk = useDesk();
  const d = draftOf(useDeskState(), c.call);
  const ref = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const el = ref.current;
    if (el && written?.call === c.call) {
      el.focus({ preventScroll: true });
      el.setSelectionRange(written.start, written.end);
    }
    written = null;
    return () => {
      written = el && document.activeElement === el ? { call: c.call, start: el.selectionStart, end: el.selectionEnd } : null;
    };
  }, [c.call]);
  return <textarea ref={ref} className="note" id="note" data-testid="note" rows={2} maxLength={maxNote} aria-label={t('notes.title')} placeholder={placeholder} value={d.text} onChange={(e) => desk.write(c, e.currentTarget.value)} />;
}

export function Notes({ c, grow }: { c: LiveCard; grow?: boolean }) {
  const { t } = useWords();
  const w = useWrapUp();
  const offer = isOffer(c.phase) || c.phase === 'connecting';
  return (
    <section className={grow ? 'sheet sec notes' : 'sheet sec notes-small'} {...panel('notes', 'shown')}>
      <header>
        <h2>{t(w.codes.length > 0 ? 'notes.and_outcome' : 'notes.title')}</h2>
        <span className="count cut">{t(!c.record && c.match === 'several' ? 'notes.go_to_chosen' : grow ? 'notes.next_reads' : 'notes.kept')}</span>
        <Saved c={c} />
        {!offer && !c.record && <OpenRequestButton c={c} />}
      </header>
      <NoteField c={c} placeholder={t(c.from ? 'notes.hint_under' : offer ? 'notes.hint_before' : 'notes.hint', { name: c.from?.name })} />
      {w.codes.length > 0 && <ShortOutcomes />}
    </section>
  );
}

/** The first few outcomes; all of them on demand, so that a call can be coded while it lasts. */
function ShortOutcomes() {
  const { t } = useWords();
  const w = useWrapUp();
  const [all, setAll] = useState(false);
  const chosen = w.codes.findIndex((x) => x.id === w.outcome);
  const shown = w.codes.filter((_, i) => all || i < shortCodes || i === chosen);
  return (
    <div className="codes" role="radiogroup" aria-label={t('outcome.title')} data-testid="dispositions" onKeyDown={(e) => outcomeKeys(e, w)}>
      {shown.map((x) => <OutcomeCode key={x.id} i={w.codes.indexOf(x)} />)}
      {w.codes.length > shortCodes && <button type="button" className="btn btn-quiet btn-sm" aria-expanded={all} onClick={() => setAll(!all)}>{all ? t('outcome.fewer') : t('outcome.all', { count: w.codes.length })}</button>}
    </div>
  );
}

/** The digit that chooses outcome i; "" past the nineteenth. */
export function outcomeKey(i: number): string {
  if (i < 10) return String((i + 1) % 10);
  return i < 20 ? `⇧ ${(i + 1) % 10}` : '';
}

/** Digits choose while the group has the focus, arrows walk through it. */
export function outcomeKeys(e: React.KeyboardEvent<HTMLElement>, w: WrapUp): void {
  if (e.nativeEvent.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
  const d = /^(?:Digit|Numpad)(\d)$/.exec(e.code)?.[1];
  const items = [...e.currentTarget.querySelectorAll<HTMLElement>('[role="radio"]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  if (d !== undefined) {
    const code = w.codes[((Number(d) + 9) % 10) + (e.shiftKey ? 10 : 0)];
    if (!code) return;
    w.choose(code.id);
    items.find((x) => x.dataset.testid === `disposition-${code.id}`)?.focus();
  } else if (e.key === 'ArrowRight' || e.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
  else if (e.key === 'ArrowLeft' || e.key === 'ArrowUp') items[(at + items.length - 1) % items.length]?.focus();
  else return;
  e.preventDefault();
}

export function OutcomeCode({ i }: { i: number }) {
  const { lang } = useWords();
  const w = useWrapUp();
  const x = w.codes[i];
  if (!x) return null;
  return (
    <button type="button" className="code" role="radio" aria-checked={w.outcome === x.id} data-testid={`disposition-${x.id}`} onClick={() => w.choose(x.id)}>
      {outcomeKey(i) && <kbd className={i < 10 ? 'digit' : 'digit shifted'} aria-hidden="true">{outcomeKey(i)}</kbd>}{titleIn(x.title, lang, x.id)}
    </button>
  );
}
