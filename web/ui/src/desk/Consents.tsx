// What the customer agreed to: what the record says, what he has said since, and the
// acts that write down what he says now.
import { useCallback, useEffect, useState } from 'react';
import { type ConsentWord, consentChannels, consentPurposes, consentStates, hearConsent, standingConsents } from '../api/http';
import { shortDate } from '../format/intl';
import { Dialog } from '../requests/Dialog';
import { Icon } from '../ui/Icon';
import { useDeskState, useNow, useWords } from './context';
import { type CustomerRecord, toMs } from './protocol';
import type { LiveCard } from './store';

const recorded = ['phone', 'mail', 'sms', 'recording'] as const;

/** Whether he has said something himself since: that counts, and not what the record says. */
const outdated = (k: (typeof recorded)[number], words: ConsentWord[] | null) =>
  (words ?? []).some((w) => (w.purpose === 'offer' || w.purpose === 'any') && w.channel === (k === 'phone' ? 'call' : k));

/** What the customer of the card has said; null while that is not known. */
function useConsents(c: LiveCard, r: CustomerRecord): [ConsentWord[] | null, (list: ConsentWord[]) => void] {
  const online = useDeskState().link.is === 'online';
  const key = online ? `${c.call} ${r.id} ${r.version}` : '';
  const [got, setGot] = useState<{ of: string; list: ConsentWord[] }>({ of: '', list: [] });
  useEffect(() => {
    if (!key) return;
    let current = true;
    standingConsents(c.call).then((list) => current && setGot({ of: key, list })).catch(() => undefined); // nothing is said of it then
    return () => { current = false; };
  }, [key, c.call]);
  const put = useCallback((list: ConsentWord[]) => setGot({ of: key, list }), [key]);
  return [got.of === key && key ? got.list : null, put];
}

export function ConsentSection({ c, r }: { c: LiveCard; r: CustomerRecord }) {
  const { t } = useWords();
  const [words, put] = useConsents(c, r);
  const [asking, setAsking] = useState<'' | 'any' | 'stop'>('');
  const rows = recorded.filter((k) => r.consent?.[k] !== undefined && !outdated(k, words));
  const mayAsk = ['talking', 'hold', 'wrap_up'].includes(c.phase) && !c.question && words !== null;
  if (rows.length === 0 && !words?.length && !mayAsk) return null;
  return (
    <section className="sec" data-testid="consents">
      <header>
        <h2>{t('consent.title')}</h2>
        {mayAsk && <span className="more row consent-acts">
          <button type="button" className="btn btn-quiet btn-sm" data-testid="consent-stop" onClick={() => setAsking('stop')}><Icon name="phone-off" size="sm" />{t('consent.stop')}</button>
          <button type="button" className="btn btn-quiet btn-sm" data-testid="consent-new" onClick={() => setAsking('any')}>{t('consent.record')}</button>
        </span>}
      </header>
      {rows.length > 0 && <ul className="reasons two-up">
        {rows.map((k) => {
          const yes = r.consent?.[k];
          return <li key={k}><span className={yes ? 'ok' : 'bad'}><Icon name={yes ? 'check' : 'x'} /></span><span>{t(`consent.${k}`)}<span className="vh"> {t(yes ? 'consent.yes' : 'consent.no')}</span></span></li>;
        })}
      </ul>}
      {words && words.length > 0 && <ul className="reasons" data-testid="consent-words">{words.map((w) => <Word key={w.purpose + w.channel} w={w} />)}</ul>}
      {asking && <ConsentDialog call={c.call} stop={asking === 'stop'} onClose={() => setAsking('')} onHeard={(list) => { put(list); setAsking(''); }} />}
    </section>
  );
}

/** One word: what of, since when, and by what we know. */
function Word({ w }: { w: ConsentWord }) {
  const { t, lang } = useWords();
  const now = useNow(60_000);
  const over = !!w.expires && toMs(w.expires) <= now;
  const yes = w.state === 'given' && !over;
  const how = [shortDate(toMs(w.at), now, lang), w.by || w.source].filter(Boolean).join(', ');
  return (
    <li title={w.evidence || undefined}>
      <span className={yes ? 'ok' : 'bad'}><Icon name={yes ? 'check' : 'x'} /></span>
      <span>{t('consent.of', { purpose: t(`consent.purpose.${w.purpose}`), channel: t(`consent.channel.${w.channel}`) })} <span className="t2">{t(over ? 'consent.state.expired' : `consent.state.${w.state}`)}</span></span>
      <span className="t3 xs nowrap">{how}</span>
    </li>
  );
}

function ConsentDialog({ call, stop, onClose, onHeard }: { call: number; stop: boolean; onClose: () => void; onHeard: (list: ConsentWord[]) => void }) {
  const { t } = useWords();
  const [word, setWord] = useState({ purpose: stop ? 'any' : 'offer', channel: 'call', state: stop ? 'withdrawn' : 'given', evidence: '' });
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const set = (over: Partial<typeof word>) => setWord({ ...word, ...over });
  const send = async (e: React.FormEvent) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      onHeard(await hearConsent({ call, ...word, evidence: word.evidence.trim() }));
    } catch {
      setFailed(true);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(stop ? 'consent.stop_title' : 'consent.record_title')} testid="consent-dialog" onClose={onClose}>
      <form className="req-form" onSubmit={(e) => void send(e)}>
        <div className="consent-what">
          <label>{t('consent.purpose')}<select className="field" value={word.purpose} data-testid="consent-purpose" onChange={(e) => set({ purpose: e.currentTarget.value })}>
            {consentPurposes.map((p) => <option key={p} value={p}>{t(`consent.purpose.${p}`)}</option>)}
          </select></label>
          <label>{t('consent.channel')}<select className="field" value={word.channel} data-testid="consent-channel" onChange={(e) => set({ channel: e.currentTarget.value })}>
            {consentChannels.map((x) => <option key={x} value={x}>{t(`consent.channel.${x}`)}</option>)}
          </select></label>
          <label>{t('consent.answer')}<select className="field" value={word.state} data-testid="consent-state" onChange={(e) => set({ state: e.currentTarget.value })}>
            {consentStates.map((x) => <option key={x} value={x}>{t(`consent.answer.${x}`)}</option>)}
          </select></label>
        </div>
        <label>{t('consent.evidence')}<textarea className="note" rows={3} maxLength={600} value={word.evidence} data-testid="consent-evidence" onChange={(e) => set({ evidence: e.currentTarget.value })} /></label>
        <p className="xs t2">{t('consent.foot')}</p>
        {failed && <p className="bad row" role="alert"><Icon name="alert" size="sm" />{t('consent.not_written')}</p>}
        <div className="row req-do"><button type="button" className="btn" onClick={onClose}>{t('requests.dismiss')}</button><button type="submit" className="btn btn-act" autoFocus aria-disabled={busy || undefined} data-testid="consent-send">{t('consent.send')}</button></div>
      </form>
    </Dialog>
  );
}
