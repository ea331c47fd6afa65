// What an outcome asks for: a ticket, a day, a reason.
import { useLayoutEffect, useRef } from 'react';
import { useDeskState, useWords } from './context';
import { askedFields } from './protocol';
import { titleIn } from './words';
import { useWrapUp } from './wrapup';

const maxAnswer = 200;

/** The fields of the chosen outcome. Whoever chooses one by its digit writes on in the first of them. */
export function Asks() {
  const { t, lang } = useWords();
  const w = useWrapUp();
  const topics = useDeskState().topics;
  const first = useRef<HTMLInputElement>(null);
  const before = useRef(w.outcome);
  useLayoutEffect(() => {
    const chosen = before.current !== w.outcome;
    before.current = w.outcome;
    if (chosen && document.activeElement?.closest('[data-testid="dispositions"]')) first.current?.focus();
  }, [w.outcome]);
  if (w.asks.length === 0) return null;
  return (
    <div className="asks" data-testid="asks">
      {w.asks.map((f, i) => (
        <label key={f}>{t(`asks.${f}`)}
          <span className="field"><input ref={i === 0 ? first : undefined} value={w.answers[f] ?? ''} maxLength={maxAnswer} autoComplete="off" list={f === 'topic' ? 'asks-topics' : undefined} data-testid={`ask-${f}`} onChange={(e) => w.answer(f, e.currentTarget.value)} /></span>
        </label>
      ))}
      {w.asks.includes('topic') && <datalist id="asks-topics">{topics.map((x) => <option key={x.id} value={titleIn(x.title, lang, x.id)} />)}</datalist>}
    </div>
  );
}

const parts = new RegExp(`; (?=(?:${askedFields.join('|')}): )`);
const part = new RegExp(`^(${askedFields.join('|')}): (.+)$`);

/** A contact's detail in words: what an outcome asked for stands there by the names of its fields. */
export function detailInWords(detail: string, t: (key: string) => string): string {
  return detail.split(parts).map((p) => {
    const m = part.exec(p);
    return m ? `${t(`asks.${m[1]}`)}: ${m[2]}` : p;
  }).join('; ');
}
