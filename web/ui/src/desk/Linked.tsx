// Whose the caller's number is: what is known of that, and the acts that say it
// and take it back. The next call from the number goes by it.
import { useState } from 'react';
import { shortDate } from '../format/intl';
import { useDesk, useDeskState, useNow, useWords } from './context';
import type { CallerNumber, CustomerRecord } from './protocol';
import { toMs } from './protocol';
import { Refused } from './socket';
import type { LiveCard } from './store';
import { useUi } from './ui';
import { nameOf } from './words';

/** Who talks to the caller can ask. */
const mayAsk = (c: LiveCard) => ['talking', 'hold', 'wrap_up'].includes(c.phase) && !c.question;

/** The number that the call came with, as the record has it. */
export const numberOf = (c: LiveCard, r: CustomerRecord): CallerNumber | undefined => (r.numbers ?? []).find((n) => n.e164 === c.caller.number);

/** Why one of several people may be the caller, without saying who it is. */
export function Reasons({ c, r, of }: { c: LiveCard; r: CustomerRecord; of: number }) {
  const { t } = useWords();
  const n = numberOf(c, r);
  return <>{n?.by ? <Confirmed n={n} /> : n?.source ? t('linked.from_source', { source: n.source }) : t('linked.by_source')}<span className="t3">, {t('linked.shared', { count: of })}</span></>;
}

function Confirmed({ n }: { n: CallerNumber }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow(60_000);
  if (!n.by) return null;
  const name = n.by.agent === s.me?.id ? t('who.you') : nameOf(s, n.by);
  return <>{t('linked.confirmed', { name, when: shortDate(toMs(n.confirmed_at), now, lang) })}</>;
}

/** Which system says so, and until when: what an agent has confirmed stands by itself. */
export function Origin({ n }: { n: CallerNumber }) {
  const { t, lang } = useWords();
  const now = useNow(60_000);
  const day = new Date(now).toISOString().slice(0, 10);
  const date = (d: string) => shortDate(toMs(d), now, lang);
  const said = [
    n.source && t('linked.from_source', { source: n.source }),
    n.valid_to ? t(n.valid_to < day ? 'linked.until_past' : 'linked.until', { date: date(n.valid_to) }) : '',
    n.valid_from && n.valid_from > day ? t('linked.from_day', { date: date(n.valid_from) }) : '',
  ].filter(Boolean);
  return said.length === 0 ? null : <span className="t3 xs" data-testid="number-origin">{said.join(', ')}</span>;
}

/** In the facts of a record: shown where there is something to say of the number, or to ask. */
export function NumberFact({ c, r }: { c: LiveCard; r: CustomerRecord }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const n = numberOf(c, r);
  if (!c.caller.number) return null;
  const told = n && (n.person || n.source || n.valid_to) ? <p>{n.person && <b data-testid="number-person">{n.person}</b>} <Origin n={n} /></p> : null;
  const silent = (!n?.by && !mayAsk(c)) || (n && !n.by && !c.shared);
  if (silent) return told && <><dt>{t('linked.title')}</dt><dd data-testid="number-fact">{told}</dd></>;
  const say = (undo: boolean) => void ui.run(desk.link(c, r.id, undo));
  return (
    <>
      <dt>{t('linked.title')}</dt>
      <dd data-testid="number-fact">
        {told}
        {n?.by ? <Confirmed n={n} /> : t(n ? 'linked.shared' : 'linked.not_theirs', { count: c.shared ?? 0 })}{' '}
        {!mayAsk(c) ? null : n?.by
          ? <button type="button" className="btn btn-quiet btn-sm" data-testid="number-unlink" onClick={() => say(true)}>{t('linked.undo')}</button>
          : <button type="button" className="btn btn-quiet btn-sm" data-testid="number-link" onClick={() => say(false)}>{t('linked.confirm')}</button>}
      </dd>
    </>
  );
}

/** On the card of somebody unknown: the customer number that the caller gives. */
export function LinkForm({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const [id, setId] = useState('');
  const link = (e: React.FormEvent) => {
    e.preventDefault();
    const said = id.trim();
    if (!said) return;
    void ui.run(desk.link(c, said, false).catch((err: unknown) => {
      throw err instanceof Refused && err.code === 'unknown_target' ? new Refused('no_customer') : err;
    }));
  };
  if (!c.caller.number || !mayAsk(c) || c.match === 'pending') return null;
  return (
    <form className="sec link-form" onSubmit={link} data-testid="link-form">
      <label>{t('linked.number')}<span className="field"><input value={id} autoComplete="off" maxLength={64} data-testid="link-id" onChange={(e) => setId(e.currentTarget.value)} /></span></label>
      <button type="submit" className="btn" disabled={!id.trim()}>{t('linked.link')}</button>
      <p className="xs t2">{t('linked.foot')}</p>
    </form>
  );
}
