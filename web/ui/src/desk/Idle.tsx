// Between calls: the standard answers to read in, and who is there.
import { duration } from '../format/intl';
import { Jack } from '../ui/Icon';
import { AnswerBase } from './Answers';
import { useDeskState, useNow, useWords } from './context';
import { useReasonWord } from './IdleBar';
import { type Mailbox, Messages } from './Messages';
import { MyReviews } from './MyReviews';
import { MyRequests } from './Requests';
import { type AgentStateName, type ColleagueState, toMs } from './protocol';
import { agentJack } from './states';

const order: AgentStateName[] = ['available', 'offered', 'ringing', 'talking', 'hold', 'wrap_up', 'not_ready', 'signed_out'];

export function Idle({ box }: { box: Mailbox }) {
  return <main className="desk desk-idle"><AnswerBase /><div className="col"><MyRequests /><MyReviews /><Messages box={box} /><Colleagues /></div></main>;
}

function Colleagues() {
  const { t } = useWords();
  const s = useDeskState();
  const others = s.colleagues.filter((x) => x.id !== s.me?.id);
  const rank = (x: ColleagueState) => order.indexOf(x.state ?? 'signed_out');
  const sorted = [...others].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return (
    <section className="sheet sec scroll" tabIndex={0} role="region" aria-label={t('colleagues.title')}>
      <header><h2>{t('colleagues.title')}</h2><span className="count">{t('colleagues.ready', { count: others.filter((x) => x.state === 'available').length })}</span></header>
      {others.length === 0 ? <p className="absent t3">{t('colleagues.none')}</p>
        : <ul className="mates" data-testid="colleagues">{sorted.map((x) => <li key={x.id}><span className="cut">{x.name}</span><StateWord x={x} /></li>)}</ul>}
    </section>
  );
}

export function StateWord({ x }: { x: ColleagueState }) {
  const { t } = useWords();
  const now = useNow();
  const reason = useReasonWord();
  const state = x.state ?? 'signed_out';
  const since = toMs(x.since);
  return (
    <span className="st"><Jack name={agentJack(state, x.reason)} />{state === 'not_ready' && x.reason ? reason(x.reason) : t(`state.${state}`)}
      {since > 0 && state !== 'signed_out' && <span className="t3 num">{duration(now - since)}</span>}
    </span>
  );
}
