// A call passed on by a colleague: first the sender's sentence, then what is
// known, was read and noted, and the way here. Nobody repeats the question.
import { clockTime, duration, languageName, list, roundMoney } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon, Jack, Tag } from '../ui/Icon';
import { ConsentSection } from './Consents';
import { useDeskState, useNow, useWords } from './context';
import { panel, recordPanel } from './panels';
import { type PathStep, toMs } from './protocol';
import { MoneyAndProducts, Tickets, Timeline } from './Record';
import type { LiveCard } from './store';
import { agentJack } from './states';
import { Facts, MatchTag, riskWord, tenure } from './Who';
import { backWhy, passedOn, queueTitle, stepsOf, topicTitle, whyYou } from './words';
import { useUi } from './ui';

/** Of the facts known, those a caller could be asked for again. */
const factWords = ['name', 'number', 'customer', 'numbers', 'language', 'balance', 'last_bill', 'products', 'tickets', 'interactions', 'notes'];

export function FromColumn({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow(30_000);
  const ui = useUi();
  const from = c.from;
  if (!from) return null;
  const sender = s.colleagues.find((x) => x.id === from.agent);
  const r = c.record;
  const known = (c.facts ?? []).filter((f) => factWords.includes(f));
  return (
    <div className={ui.whoOpen ? 'col sheet scroll who-open' : 'col sheet scroll'} tabIndex={0} role="region" aria-label={t('from.title', { name: from.name })}>
      <div className="who-strip"><MatchTag c={c} />
        {r && <span className="num" {...panel('who', 'shown')}>{r.id}</span>}
        {r?.language && <span>{languageName(r.language, lang)}</span>}
        <button type="button" className="btn btn-quiet btn-sm strip-more" aria-expanded={ui.whoOpen} onClick={() => ui.setWhoOpen(!ui.whoOpen)}>{t(ui.whoOpen ? 'who.less' : 'who.more')}</button>
        <div className="strip-from" {...panel('from', 'shown')}>{from.note && <p><b>{t('from.title', { name: from.name })}</b> <span className="t2">{from.note}</span></p>}
        {(c.notes ?? []).map((n) => <p key={n.agent + n.at}><b>{t('from.notes', { name: n.name })}</b> <span className="t2">{n.text}</span></p>)}</div>
      </div>
      <section className="sec" {...panel('from', 'shown')}>
        <header><h2>{t(c.question ? 'from.asks' : 'from.title', { name: from.name })}</h2></header>
        {c.question && <p className="xs t2" data-testid="is-question">{t('from.is_question', { name: from.name })}</p>}
        {from.note && <p className="from" data-testid="from-note">{from.note}</p>}
        <p className="xs t3 from-when">{from.talk_s && !c.question ? t('from.passed_after', { talk: duration(from.talk_s * 1000), time: clockTime(toMs(from.at), lang) }) : t(c.question ? 'from.asked_at' : 'from.passed_at', { time: clockTime(toMs(from.at), lang) })}</p>
        {sender?.state && <p className="xs t2 row from-state"><Jack name={agentJack(sender.state)} />{t(`state.${sender.state}`)}</p>}
      </section>
      <EarlierNotes c={c} />
      <section className="sec" {...panel('who', recordPanel(c, true))}>
        <header><h2>{t('from.who')}</h2></header>
        <div className="row wrap tags"><MatchTag c={c} />{r?.key_account && <Tag kind="info" icon="star">{t('who.key_account')}</Tag>}</div>
        {r && <Facts c={c} r={r}>
          {(r.segment || r.customer_since) && <><dt>{t('who.standing')}</dt><dd>{r.segment} <span className="t3">{tenure(r.customer_since, now, t)}</span></dd></>}
          {r.yearly_value && <><dt>{t('who.worth')}</dt><dd className="num">{roundMoney(r.yearly_value, lang)}</dd></>}
          {r.account_manager && <><dt>{t('who.manager_short')}</dt><dd>{r.account_manager.name}</dd></>}
          {r.churn_risk !== undefined && <><dt>{t('who.may_leave')}</dt><dd className={r.churn_risk >= 60 ? 'bad b' : undefined}>{t(riskWord(r.churn_risk), { risk: r.churn_risk })}</dd></>}
          {r.churn_reasons && r.churn_reasons.length > 0 && <><dt>{t('from.because')}</dt><dd>{list(r.churn_reasons, lang)}</dd></>}
          {r.others && r.others.length > 0 && <><dt>{t('who.others_short')}</dt><dd>{r.others.map((o) => <span key={o.name} className="other-number">{o.name} {o.detail && <span className="t3">{o.detail}</span>}</span>)}</dd></>}
        </Facts>}
        {known.length > 0 && <p className="xs t2 from-known" data-testid="facts" data-facts={(c.facts ?? []).join(' ')}>{t('from.known', { facts: list(known.map((f) => t(`fact.${f}`)), lang) })}</p>}
      </section>
      {r && <ConsentSection key={`${c.call}-${r.id}`} c={c} r={r} />}
    </div>
  );
}

/** What the agents before wrote, each under their name. */
export function EarlierNotes({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  return (c.notes ?? []).map((n) => (
    <section className="sec" key={n.agent + n.at}>
      <header><h2>{t('from.notes', { name: n.name })}</h2><span className="more t3">{clockTime(toMs(n.at), lang)}</span></header>
      <p className="t2" data-testid="earlier-note">{n.text}</p>
    </section>
  ));
}

export function ReceivedMiddle({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const used = c.used ?? [];
  const s = useDeskState();
  const nameOf = (id: string) => s.colleagues.find((x) => x.id === id)?.name ?? id;
  return (
    <div className="col col-m received">
      <MoneyAndProducts c={c} />
      <div className="two two-top">
        <Way c={c} />
        <div className="col" tabIndex={0} role="region" aria-label={t('tickets.title')}>
          <section className="sheet sec"><header><h2>{t('tried.title')}</h2><span className="count">{t('tried.hint')}</span></header>
            {used.length === 0 ? <p className="absent t3">{t('tried.none')}</p> : (
              <ol className="did" data-testid="answers-read">{used.map((u) => <li key={u.answer + u.agent}><time>{clockTime(toMs(u.at), lang)}</time><Icon name="book" /><span>{t('tried.read', { title: u.title })}</span><span className="t3 xs">{nameOf(u.agent)}</span></li>)}</ol>
            )}
          </section>
          <Tickets c={c} stacked />
        </div>
      </div>
      <Timeline key={`${c.call} ${c.record?.id ?? ''}`} c={c} />
    </div>
  );
}

function Way({ c }: { c: LiveCard }) {
  const { t } = useWords();
  return (
    <section className="sheet sec scroll" {...panel('path', (c.path?.length ?? 0) > 0 ? 'shown' : 'empty')} tabIndex={0} role="region" aria-label={t('way.title')}>
      <WayList c={c} />
    </section>
  );
}

/** The way here, step by step. */
export function WayList({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow(30_000);
  const path = stepsOf(c);
  const passed = passedOn(c, s, { t, lang });
  const hops = path.filter((p) => p.kind === 'agent').length + (passed ? 1 : 0);
  const why = whyYou(c, { t, lang, now });
  const sentence = (p: PathStep): string => {
    const time = p.seconds ? duration(p.seconds * 1000) : '';
    switch (p.kind) {
      case 'dialled':
        return t('way.dialled', { name: formatNumber(p.name, c.dialled) });
      case 'menu':
        return t('way.menu', { name: p.name });
      case 'route':
        return t('way.route', { name: p.name });
      case 'queue':
        return t(time ? 'way.queue_waited' : 'way.queue', { name: queueTitle(s, p.name, lang), time });
      case 'topic':
        return t('way.topic', { name: topicTitle(s, p.name, lang) });
      case 'number':
        return p.why ? t('way.number_back', { name: p.name, why: backWhy(p.why, t) }) : t('way.number', { name: p.name });
      default:
        return t(time ? 'way.agent_talked' : 'way.agent', { name: p.name, time });
    }
  };
  return (
    <>
      <header><h2>{t('way.title')}</h2><span className="count">{t('way.transfers', { count: hops })}</span></header>
      <ol className={c.phase === 'wrap_up' ? 'way over' : 'way'} data-testid="path">
        {path.map((p, i) => <li key={i} className={i === 0 ? 'in' : undefined}><time>{p.at ? clockTime(toMs(p.at), lang) : ''}</time><span className="jack" /><span>{sentence(p)}</span></li>)}
        <li className="in"><time>{clockTime(c.shownAt, lang)}</time><span className="jack" /><span>{why ? t('way.you_because', { why }) : t('way.you')}</span></li>
        {passed && <li className="in"><time>{c.overAt ? clockTime(c.overAt, lang) : ''}</time><span className="jack" /><span>{passed}</span></li>}
      </ol>
    </>
  );
}
