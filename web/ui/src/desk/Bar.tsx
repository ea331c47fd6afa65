// The call bar: one place, one height, in every state.
import { clockSeconds, countryName } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon, Lamp, type LampKind } from '../ui/Icon';
import type { IconName } from '../ui/glyphs';
import { BarActs } from './BarActs';
import { Clock, NextTry } from './BarClocks';
import { secondsLeft } from './clocks';
import { Cord } from './Cord';
import { useDesk, useDeskState, useNow, useWords } from './context';
import { isOffer, isTalk } from './protocol';
import type { DeskState, LiveCard } from './store';
import { backWhy, callerName, numberIs, passedOn, queueTitle, storyOf, topicTitle } from './words';
import { IdleBar } from './IdleBar';

function useLamp(c: LiveCard): LampKind {
  const lost = useDeskState().link.is !== 'online';
  if (lost) return 'lost';
  if (c.phase === 'wrap_up') return 'wrap_up';
  if (c.phase === 'hold') return 'hold';
  if (!c.record && c.match !== 'pending') return 'unknown';
  return isTalk(c.phase) ? 'talking' : 'offered';
}

/** What is going on, in a few words, with its glyph. */
function useStateLine(c: LiveCard, declining: boolean): { icon: IconName; text: string; kind?: 'warn' | 'quiet' } {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow();
  const passed = passedOn(c, s, { t, lang });
  if (s.link.is !== 'online') return { icon: 'unlink', text: t(isTalk(c.phase) ? 'bar.lost_talking' : 'bar.lost'), kind: 'warn' };
  if (declining) return { icon: 'x', text: t('bar.declining') };
  if (c.consult && isTalk(c.phase)) return { icon: 'ask', text: asking(c, s, { t, lang }) };
  const left = Math.max(0, secondsLeft(c.endsAt, now));
  switch (c.phase) {
    case 'offered':
    case 'may_accept':
      if (c.callback) return { icon: 'phone', text: t('bar.callback', { try: c.callback.try }) };
      if (c.question && c.from) return { icon: 'ask', text: t('bar.asks', { name: c.from.name }) };
      if (c.back) return { icon: 'fwd', text: t('bar.back', { why: backWhy(c.back, t) }) };
      return c.from ? { icon: 'fwd', text: t('bar.passed', { name: c.from.name }) } : { icon: 'phone-in', text: t('bar.offered') };
    case 'lead':
      return { icon: 'phone-in', text: t('bar.lead', { count: left }) };
    case 'calling':
      return { icon: 'phone', text: t('bar.calling', { try: c.callback?.try ?? 1 }) };
    case 'ringing':
      return { icon: 'phone-in', text: t(c.ringWhy === 'no_ack' ? 'bar.ringing_no_ack' : 'bar.ringing') };
    case 'connecting':
      return { icon: 'phone', text: t('bar.connecting') };
    case 'talking':
      if (c.question && c.from) return { icon: 'ask', text: t('bar.asked_by', { name: c.from.name }) };
      if (c.askedWhy) return { icon: 'phone', text: t('bar.talking_again', { why: t(`asked_why.${askedWhys.includes(c.askedWhy) ? c.askedWhy : 'unanswered'}`) }) };
      if (c.back) return { icon: 'phone', text: t('bar.talking_again', { why: backWhy(c.back, t) }) };
      return { icon: 'phone', text: t(c.record ? 'bar.talking' : 'bar.talking_unknown') };
    case 'hold':
      return { icon: 'pause', text: t('bar.hold') };
    default:
      return passed ? { icon: 'fwd', text: t('bar.passed_wrap_up', { passed }), kind: 'quiet' } : { icon: 'note', text: t('bar.wrap_up'), kind: 'quiet' };
  }
}

const askedWhys = ['stopped', 'left', 'refused', 'rona', 'phone_busy', 'phone_unreachable', 'join_failed', 'closed', 'late', 'nobody'];

/** Whom this desk asks, and how far that has come. */
function asking(c: LiveCard, s: DeskState, { t, lang }: Pick<ReturnType<typeof useWords>, 't' | 'lang'>): string {
  const q = c.consult!;
  const name = q.name || (q.topic ? topicTitle(s, q.topic, lang) : queueTitle(s, q.queue, lang));
  if (q.phase === 'talking') return t(c.phase === 'hold' ? 'bar.asking' : 'bar.asking_swapped', { name });
  return t(q.phase === 'ringing' ? 'bar.asking_rings' : 'bar.asking_waits', { name });
}

export function Bar({ card, declining }: { card: LiveCard | null; declining: boolean }) {
  if (!card) return <IdleBar />;
  return <CallBar key={card.call} c={card} declining={declining} />;
}

function CallBar({ c, declining }: { c: LiveCard; declining: boolean }) {
  const { t, lang } = useWords();
  const line = useStateLine(c, declining);
  const lamp = useLamp(c);
  const offer = isOffer(c.phase) || c.phase === 'connecting';
  const home = c.dialled;
  const name = callerName(c, t);
  return (
    <section className={c.phase === 'wrap_up' ? 'bar over' : 'bar'} data-testid="bar" data-phase={c.phase} data-call={c.call} data-attempt={c.attempt}
      data-panel="bar" data-state="shown" role={offer ? 'alertdialog' : 'region'} aria-labelledby="caller" aria-describedby="story">
      <Lamp kind={lamp} />
      <div className="who">
        <p className={line.kind ? `state ${line.kind}` : 'state'} data-testid="bar-state"><Icon name={line.icon} size="sm" /><span className="cut">{line.text}</span></p>
        <h1 id="caller" data-testid="caller-name" className={`cut ${fit(name)}`} title={name}>{name}</h1>
        <p className="tel num" data-testid="caller-number">
          {c.caller.number ? formatNumber(c.caller.number, home) : t(numberIs(c.caller) === 'withheld' ? 'caller.not_shown' : 'caller.no_number')}
          {c.caller.number && c.caller.country && <span>{countryName(c.caller.country, lang)}</span>}
        </p>
      </div>
      <StoryBlock c={c} />
      <Cord c={c} />
      {!declining && <Clock c={c} />}
      <BarActs c={c} />
    </section>
  );
}

/** Long names are set smaller rather than cut. */
const fit = (name: string) => (name.length > 27 ? 'longer' : name.length > 19 ? 'long' : '');

function StoryBlock({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const desk = useDesk();
  const lost = s.link.is === 'lost' ? s.link : null;
  const heed = c.record?.heed ?? [];
  if (lost) {
    const talking = isTalk(c.phase);
    return (
      <div className="story" id="story">
        <p className="tale" data-testid="lost"><b>{t(talking ? 'lost.keep_talking' : 'lost.head')}</b> <LostAge /></p>
        <ul className="heed"><li className="alarm"><Icon name="clock" /><NextTry at={lost.retryAt} /></li>{heed.slice(0, 1).map((h) => <li key={h}><Icon name="ear" />{h}</li>)}</ul>
      </div>
    );
  }
  const [first, ...rest] = storyOf(c, s, { t, lang, now: desk.now() });
  const whole = [first, ...rest].join(' ');
  const known = c.from && (c.facts?.length ?? 0) > 0;
  return (
    <div className="story" id="story" data-testid="story">
      <p className={whole.length > 110 ? 'tale long' : 'tale'} title={whole}><b>{first}</b>{rest.length > 0 && ' '}{rest.join(' ')}</p>
      {(heed.length > 0 || known) && (
        <ul className="heed" aria-label={t('heed.label')}>
          {heed.map((h) => <li key={h}><Icon name="ear" />{h}</li>)}
          {known && <li><Icon name="shield" />{t('heed.known')}</li>}
        </ul>
      )}
    </div>
  );
}

function LostAge() {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow();
  return <>{t('lost.shown', { time: clockSeconds(s.asOf, lang), count: Math.max(0, Math.round((now - s.asOf) / 1000)) })}</>;
}
