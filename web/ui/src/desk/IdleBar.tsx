// The bar between calls. It stands, so that nothing jumps when a call comes.
import { Menu } from '@mantine/core';
import { useEffect } from 'react';
import { clockSeconds, duration } from '../format/intl';
import { Icon, Lamp } from '../ui/Icon';
import { NextTry } from './BarClocks';
import { useDesk, useDeskState, useNow, useWords } from './context';
import { toMs } from './protocol';
import { useUi } from './ui';

const goneShownMs = 5000;
const goneWords = ['rona', 'refused', 'phone_busy', 'phone_unreachable', 'abandoned', 'desk_silent', 'answered_elsewhere', 'join_failed', 'call_failed', 'closed',
  'customer_no_answer', 'customer_busy', 'customer_refused', 'customer_failed', 'taken_over', 'stopped'];
const serverReasons = ['signed_in', 'rona', 'refusing', 'phone_busy', 'phone_unreachable', 'desk_lost', 'pbx_call'];
const ownReasons = ['break', 'lunch', 'meeting', 'training', 'other'];

export function useReasonWord() {
  const { t } = useWords();
  return (r: string) => ([...serverReasons, ...ownReasons].includes(r) ? t(`reason.${r}`) : r.replaceAll('_', ' '));
}

export function IdleBar() {
  const { t } = useWords();
  const s = useDeskState();
  const reason = useReasonWord();
  const st = s.status?.state ?? 'signed_out';
  const online = s.link.is === 'online';
  const waitingForMore = st === 'available' || st === 'offered' || st === 'ringing';
  return (
    <section className="bar idle" data-testid="bar" data-phase="idle" data-agent-state={st} role="region" aria-labelledby="caller" aria-describedby="story">
      <Lamp kind={online ? 'idle' : 'lost'} />
      <div className="who">
        <p className={online ? 'state quiet' : 'state warn'} data-testid="bar-state">
          <Icon name={online ? (waitingForMore ? 'check' : 'pause') : 'unlink'} size="sm" />
          <span className="cut">{online ? <Since word={st === 'not_ready' && s.status?.reason ? t('idle.not_ready_reason', { reason: reason(s.status.reason) }) : t(`state.${st}`)} /> : t('bar.lost')}</span>
        </p>
        <h1 id="caller">{s.me?.name ?? ''}</h1>
        <p className="tel">{s.me ? t(s.me.autoAnswer ? 'idle.phone_auto' : 'idle.phone_by_hand') : ''}</p>
      </div>
      <IdleStory />
      <div className="cord" />
      <div className="clock" />
      <IdleActs />
    </section>
  );
}

function Since({ word }: { word: string }) {
  const { t } = useWords();
  const now = useNow();
  const since = toMs(useDeskState().status?.since);
  return <>{since ? t('idle.since', { word, time: duration(now - since) }) : word}</>;
}

function IdleStory() {
  const { t, lang } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  const gone = s.gone;
  useEffect(() => {
    if (!gone) return;
    const h = setTimeout(desk.forgetGone, goneShownMs);
    return () => clearTimeout(h);
  }, [gone, desk]);
  const link = s.link;
  if (link.is === 'lost') {
    return <div className="story" id="story"><p className="tale" data-testid="lost"><b>{t('lost.head')}</b> {t(s.asOf ? 'lost.idle' : 'lost.never', { time: clockSeconds(s.asOf, lang) })}</p><ul className="heed"><li className="alarm"><Icon name="clock" /><NextTry at={link.retryAt} /></li></ul></div>;
  }
  if (link.is !== 'online') return <div className="story" id="story"><p className="tale">{t(link.is === 'connecting' ? 'link.connecting' : 'link.off')}</p></div>;
  if (gone) return <div className="story" id="story"><p className="tale" data-testid="gone">{t(goneWords.includes(gone.why) ? `gone.${gone.why}` : 'gone.closed', { time: duration(gone.waitedMs) })}</p></div>;
  const st = s.status;
  const why = st?.state === 'not_ready' && st.reason && serverReasons.includes(st.reason) ? t(`reason_why.${st.reason}`) : '';
  return <div className="story" id="story"><p className="tale">{why || t(st?.state === 'available' ? 'idle.ready' : 'idle.away')}</p></div>;
}

function IdleActs() {
  const { t } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  const ui = useUi();
  const reason = useReasonWord();
  if (s.link.is === 'lost') return <div className="acts"><button type="button" className="btn-bar" data-testid="try-now" onClick={desk.retry}><Icon name="redo" />{t('lost.try_now')}</button></div>;
  if (s.link.is !== 'online') return <div className="acts" />;
  const away = s.status?.state !== 'available';
  return (
    <div className="acts">
      <Menu position="bottom-end" withinPortal={false} shadow="md" returnFocus>
        <Menu.Target><button type="button" className="btn-bar" data-testid="not-ready"><Icon name="pause" />{t(away ? 'act.other_reason' : 'act.not_ready')}</button></Menu.Target>
        <Menu.Dropdown>
          {s.reasons.map((r) => <Menu.Item key={r} data-testid={`reason-${r}`} onClick={() => void ui.run(desk.setState('not_ready', r))}>{reason(r)}</Menu.Item>)}
        </Menu.Dropdown>
      </Menu>
      {away && <button type="button" className="btn-bar btn-ready" data-testid="ready" onClick={() => void ui.run(desk.setState('available'))}><Icon name="check" />{t('act.ready')}</button>}
    </div>
  );
}
