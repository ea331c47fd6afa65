// The agent's desk.
import { useEffect, useMemo, useRef, useState } from 'react';
import { signOut, type User } from '../api/http';
import { getPrefs } from '../ui/prefs';
import { Rail } from '../ui/Rail';
import { usePopAck } from './ack';
import { Answers } from './Answers';
import { Bar } from './Bar';
import { Desk } from './client';
import { DeskContext, useDesk, useDeskState, useWords } from './context';
import { Idle } from './Idle';
import { useKeys } from './keys';
import { type Mailbox, useMailbox } from './Messages';
import { Notes } from './Notes';
import { isOffer } from './protocol';
import { FromColumn, ReceivedMiddle } from './Received';
import { MoneyAndProducts, Tickets, Timeline } from './Record';
import { CardRequestsProvider } from './Requests';
import { chime } from './sound';
import { agentJack, stateColour } from './states';
import { StatusBar } from './StatusBar';
import { cardInHand, type LiveCard } from './store';
import { OneLine, Transfer } from './Transfer';
import { UiProvider, useUi, useUiState } from './ui';
import { Unknown } from './Unknown';
import { Who } from './Who';
import { callerName, queueTitle } from './words';
import { WrapUpDesk } from './WrapUp';
import { useWrapUpState, WrapUpProvider } from './wrapup';

export function DeskPage({ user, onSignedOut }: { user: User; onSignedOut: () => void }) {
  const [desk] = useState(() => new Desk(() => getPrefs().lang));
  useEffect(() => {
    desk.start();
    return desk.stop;
  }, [desk]);
  return <DeskContext.Provider value={desk}><Page user={user} onSignedOut={onSignedOut} /></DeskContext.Provider>;
}

function Page({ user, onSignedOut }: { user: User; onSignedOut: () => void }) {
  const { t } = useWords();
  const desk = useDesk();
  const s = useDeskState();
  const ui = useUiState();
  const c = cardInHand(s);
  const online = s.link.is === 'online';
  const wrap = useWrapUpState(c, s, desk, ui);
  const box = useMailbox();
  const paintedAt = usePopAck(desk, c, s.line, online);
  useKeys(c, desk, ui);
  useCardChanges(c, ui);
  useTitle(c);
  useEffect(() => {
    if (s.link.is === 'signed_out') onSignedOut();
  }, [s.link, onSignedOut]);
  const leave = async () => {
    // Refused while a call is in hand: then nobody leaves.
    if (online && !(await ui.run(desk.signOut()))) return;
    desk.stop();
    await signOut().catch(() => undefined);
    onSignedOut();
  };
  const blocked = s.link.is === 'replaced' || s.link.is === 'refused' || s.link.is === 'outdated';
  const ring = online && s.status ? stateColour[agentJack(s.status.state, s.status.reason)] : 'var(--st-away)';
  return (
    <UiProvider value={ui}><WrapUpProvider value={wrap}>
      <div className="shell shell-desk" data-testid="desk" data-link={s.link.is}>
        <Rail page={t('rail.desk')} icon="phone" name={user.name} ring={ring} onKeys={() => ui.setStrip('open')} onSignOut={() => void leave()} />
        <div className="work">
          <Bar card={blocked ? null : c} declining={ui.declining} />
          {blocked ? <Blocked why={s.link.is} /> : <Middle c={c} box={box} />}
          <StatusBar c={blocked ? null : c} paintedAt={paintedAt} fresh={box.list.filter((m) => m.state === 'new').length} />
        </div>
        <Announcer c={c} />
        <div className="too-narrow"><p>{t('narrow')}</p></div>
      </div>
    </WrapUpProvider></UiProvider>
  );
}

function Middle({ c, box }: { c: LiveCard | null; box: Mailbox }) {
  if (!c) return <Idle box={box} />;
  return (
    <CardRequestsProvider key={`${c.call}:${c.attempt}`} c={c}>
      {c.phase === 'wrap_up' ? <WrapUpDesk c={c} /> : <CardDesk c={c} />}
    </CardRequestsProvider>
  );
}

function CardDesk({ c }: { c: LiveCard }) {
  const transfer = useTransferOpen(c);
  if (!c.record && !transfer) return <Unknown c={c} />;
  return (
    <main className={c.from ? 'desk desk-received' : 'desk'}>
      {c.from ? <FromColumn c={c} /> : <Who c={c} />}
      {transfer ? <div className="col col-x"><OneLine c={c} /><Transfer c={c} /></div>
        : c.from ? <ReceivedMiddle c={c} />
          : <div className="col col-m"><MoneyAndProducts c={c} /><Tickets c={c} /><Timeline key={`${c.call} ${c.record?.id ?? ''}`} c={c} /></div>}
      <div className={isOffer(c.phase) ? 'col col-r' : 'col col-r talk'}><Answers c={c} /><Notes c={c} grow={!isOffer(c.phase)} /></div>
    </main>
  );
}

function useTransferOpen(c: LiveCard): boolean {
  const { transfer } = useUi();
  return transfer && (c.phase === 'talking' || c.phase === 'hold');
}

/** Closes what belonged to another call or phase, and sounds for a new offer. */
function useCardChanges(c: LiveCard | null, ui: ReturnType<typeof useUiState>): void {
  const offer = c && isOffer(c.phase) ? `${c.call}:${c.attempt}` : '';
  const key = c ? `${c.call}:${c.attempt}` : '';
  const phase = c?.phase ?? '';
  const before = useRef('');
  useEffect(() => {
    if (offer && offer !== before.current && getPrefs().sound) chime();
    before.current = offer;
  }, [offer]);
  const { setDeclining, setTransfer, setStrip, setSearch, setWhoOpen, setRefusal } = ui;
  useEffect(() => {
    setTransfer(false);
    setStrip('closed');
    setSearch(false);
    setWhoOpen(false);
    setRefusal('');
  }, [key, setTransfer, setStrip, setSearch, setWhoOpen, setRefusal]);
  useEffect(() => {
    if (!offer) setDeclining(false);
    if (phase === 'wrap_up') setTransfer(false);
  }, [offer, phase, setDeclining, setTransfer]);
}

/** The tab's title says what goes on, never with whom. */
function useTitle(c: LiveCard | null): void {
  const { t } = useWords();
  const phase = c?.phase ?? 'idle';
  useEffect(() => {
    document.title = t(`title.${isOffer(phase as LiveCard['phase']) ? 'offered' : phase}`);
  }, [phase, t]);
}

/** An offer is read out once: who, for which queue, how long. */
function Announcer({ c }: { c: LiveCard | null }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  // Not while the record is still being painted: the time to answer has not begun.
  const key = c && isOffer(c.phase) && c.phase !== 'offered' ? `${c.call}:${c.attempt}` : '';
  const sentence = useMemo(() => {
    if (!c || !key) return '';
    const v = { name: callerName(c, t), queue: queueTitle(s, c.queue, lang), count: Math.max(1, Math.round((c.endsAt - desk.now()) / 1000)) };
    if (c.pbx) return t('announce.pbx', v);
    if (c.phase === 'calling') return t('announce.calling', v); // nothing is to be answered yet
    if (c.phase === 'lead') return t('announce.offer_lead', v);
    return c.endsAt > 0 ? t('announce.offer_timed', v) : t('announce.offer', v);
    // Said once an offer; what changes later is on the page.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return <div className="vh" role="alert">{sentence}</div>;
}

function Blocked({ why }: { why: string }) {
  const { t } = useWords();
  const desk = useDesk();
  return (
    <main className="desk desk-blocked">
      <section className="sheet sec blocked" data-testid={`blocked-${why}`}>
        <h2>{t(`blocked.${why}`)}</h2>
        <p className="md t2">{t(`blocked.${why}_what`)}</p>
        {why === 'replaced' && <button type="button" className="btn btn-act" data-testid="take-over" onClick={desk.retry}>{t('blocked.take_over')}</button>}
        {why === 'outdated' && <button type="button" className="btn btn-act" onClick={() => location.reload()}>{t('blocked.reload')}</button>}
      </section>
    </main>
  );
}
