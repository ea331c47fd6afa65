// The foot of the page: own state, how soon the record stood there, the line,
// the language; or the strip of keys.
import { Fragment } from 'react';
import { languages } from '../i18n';
import { clockTime, duration } from '../format/intl';
import { Icon, Jack } from '../ui/Icon';
import { getPrefs, setPrefs, usePrefs } from '../ui/prefs';
import { useDesk, useDeskState, useNow, useWords } from './context';
import { useReasonWord } from './IdleBar';
import { keyActs } from './keys';
import { isOffer, toMs } from './protocol';
import { agentJack } from './states';
import type { LiveCard } from './store';
import { useUi } from './ui';

interface FootProps { c: LiveCard | null; paintedAt: number; fresh: number /* messages that nobody has heard */ }

export function StatusBar(p: FootProps) {
  const ui = useUi();
  if (ui.strip !== 'closed') return <KeyStrip c={p.c} />;
  return <Foot {...p} />;
}

function Foot({ c, paintedAt, fresh }: FootProps) {
  const { t, lang } = useWords();
  const ui = useUi();
  const b = c?.record?.billing;
  const painted = c && isOffer(c.phase) && paintedAt > 0 ? Math.max(0, paintedAt - c.shownAt) / 1000 : -1;
  return (
    <footer className="statusbar">
      <OwnState />
      {painted >= 0 && <><span className="sep" /><span className="src ok b" data-testid="painted"><Icon name="check" size="sm" />{t('foot.painted', { s: new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(painted) })}</span></>}
      {b && <span className={c.stale ? 'src mid warn' : 'src mid'}>{t(c.stale ? 'foot.source_old' : 'foot.source', { source: b.source, time: clockTime(toMs(b.at), lang) })}</span>}
      <span className="refusal warn" role="status" data-testid="refusal">{ui.refusal && <><Icon name="alert" size="sm" />{ui.refusal}</>}</span>
      {fresh > 0 && <><span className="src" data-testid="new-messages"><Icon name="mail" size="sm" />{t('foot.messages', { count: fresh })}</span><span className="sep" /></>}
      <LinkWord />
      <span className="sep" />
      <LanguageButton />
      <button type="button" className="src foot-btn" data-testid="keys" onMouseDown={(e) => e.preventDefault()} onClick={() => ui.setStrip('open')}><kbd>F2</kbd> {t('foot.all_keys')}</button>
    </footer>
  );
}

function OwnState() {
  const { t } = useWords();
  const s = useDeskState();
  const now = useNow();
  const reason = useReasonWord();
  const st = s.status;
  if (!st) return <span className="src" />;
  // What the state is now, only the server knows.
  if (s.link.is !== 'online') return <span className="src t2" data-testid="agent-state" data-state="unknown"><Jack name="away" />{t(`link.${s.link.is}`)}</span>;
  const word = st.state === 'not_ready' && st.reason ? reason(st.reason) : t(`state.${st.state}`);
  const since = toMs(st.since);
  return <span className="src" data-testid="agent-state" data-state={st.state}><Jack name={agentJack(st.state, st.reason)} /><b>{word}</b>{since > 0 && <span className="num" role="timer">{duration(now - since)}</span>}</span>;
}

function LinkWord() {
  const { t } = useWords();
  const { link } = useDeskState();
  const ok = link.is === 'online';
  return <span className={ok ? 'src link' : 'src link warn b'} role="status" data-testid="link" data-link={link.is}><Icon name={ok ? 'signal' : 'unlink'} size="sm" />{t(`link.${link.is}`)}</span>;
}

export function LanguageButton() {
  const { lang } = usePrefs();
  const other = lang === 'en' ? 'ru' : 'en';
  return <button type="button" className="src foot-btn" lang={other} data-testid="language" onClick={() => setPrefs({ lang: getPrefs().lang === 'en' ? 'ru' : 'en' })}>{languages[other]}</button>;
}

function KeyStrip({ c }: { c: LiveCard | null }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const acts = keyActs(c, desk, ui);
  return (
    <footer className="statusbar keystrip" data-testid="keystrip">
      <b>{t(ui.strip === 'end' ? 'strip.end_again' : 'strip.now_press')}</b>
      <span role="menu" aria-label={t('strip.now_press')} className="strip-acts">
        {acts.map((a) => <Fragment key={a.letter}><button type="button" role="menuitem" onClick={() => { if (!a.keepOpen) ui.setStrip('closed'); a.run(); }}><kbd>{a.letter}</kbd>{t(a.word, { letter: 'ABC'[Number(a.letter) - 1] ?? '' })}</button></Fragment>)}
      </span>
      <button type="button" className="strip-close" onClick={() => ui.setStrip('closed')}><kbd>Esc</kbd>{t('strip.close')}</button>
    </footer>
  );
}
