// The clocks of the bar: what has run, what is left, when the next try is.
import { useEffect, useState } from 'react';
import { duration } from '../format/intl';
import { goalEnd, secondsLeft } from './clocks';
import { useNow, useWords } from './context';
import { isOffer } from './protocol';
import { type LiveCard, waitedMs } from './store';

/** The clocks beside the acts. They are timers and are never read out. */
export function Clock({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const now = useNow();
  const waited = waitedMs(c, now);
  const goal = c.answer_within_s * 1000;
  if (isOffer(c.phase) || c.phase === 'connecting') {
    if (c.from || c.waited_before_s > 0) {
      return <Pairs><Entry k={t('clock.waited_again')} v={duration(waited)} /><Entry k={t('clock.waited_all')} v={duration(waited + c.waited_before_s * 1000)} /></Pairs>;
    }
    const left = secondsLeft(goalEnd(c), now);
    return (
      <Pairs meter={goal > 0 ? waited / goal : undefined}>
        <Entry k={t('clock.waited')} v={duration(waited)} />
        {goal > 0 && <Entry k={t(left >= 0 ? 'clock.left_of' : 'clock.past', { count: c.answer_within_s })} v={t('seconds', { count: Math.abs(left) })} past={left < 0} />}
      </Pairs>
    );
  }
  if (c.phase === 'hold') return <Pairs><Entry k={t('clock.on_hold')} v={duration(now - c.phaseAt)} /><Entry k={t('clock.call')} v={duration(now - c.talkAt)} /></Pairs>;
  if (c.phase === 'talking') return <Pairs><Entry k={t('clock.talking')} v={duration(now - c.talkAt)} testid="talk-timer" /><Entry k={t('clock.waited')} v={duration(waited)} /></Pairs>;
  return (
    <Pairs>
      <Entry k={t('clock.waited')} v={duration(waited)} small={goal > 0 && waited <= goal ? t('clock.in_time') : undefined} />
      {c.talkAt > 0 && <Entry k={t('clock.talked')} v={duration(c.overAt - c.talkAt)} />}
    </Pairs>
  );
}

function Pairs({ children, meter }: { children: React.ReactNode; meter?: number }) {
  return <div className="clock"><dl>{children}</dl>{meter !== undefined && <Meter of={meter} />}</div>;
}

function Entry({ k, v, small, past, testid }: { k: string; v: string; small?: string; past?: boolean; testid?: string }) {
  return <div><dt>{k}</dt><dd className={past ? 'past' : undefined}><span role="timer" data-testid={testid}>{v}</span>{small && <> <small>{small}</small></>}</dd></div>;
}

function Meter({ of }: { of: number }) {
  return <div className="meter" aria-hidden="true"><i className={of > 1 ? 'past' : undefined} style={{ width: `${Math.min(100, Math.round(of * 100))}%` }} /></div>;
}

/** Counts down to an instant of the server's clock; the ring drains with it. */
export function Ring({ from, to, label, warn }: { from: number; to: number; label: string; warn?: boolean }) {
  const now = useNow(250);
  const left = Math.max(0, to - now);
  const span = Math.max(1, to - from);
  const [warned, setWarned] = useState(false);
  const { t } = useWords();
  const last = warn === true && left > 0 && left <= 5000;
  useEffect(() => {
    if (last) setWarned(true);
  }, [last]);
  return (
    <span className={last ? 'ring last' : 'ring'}>
      <svg viewBox="0 0 40 40" aria-hidden="true"><circle className="track" cx="20" cy="20" r="15.9" /><circle className="left" cx="20" cy="20" r="15.9" pathLength="100" style={{ strokeDashoffset: 100 - Math.min(100, (left / span) * 100) }} /></svg>
      <span className="count-down" role="timer" aria-label={label}>{secondsLeft(to, Math.min(now, to))}</span>
      <span className="vh" role="status">{warned ? t('announce.five') : ''}</span>
    </span>
  );
}

export function NextTry({ at }: { at: number }) {
  const { t } = useWords();
  useNow(500);
  const left = Math.ceil((at - Date.now()) / 1000);
  return <span>{left > 0 ? t('lost.next_try', { count: left }) : t('lost.trying')}</span>;
}
