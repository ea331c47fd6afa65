// Who is calling: match, identity, standing, risk of leaving, consent.
import { countryName, dayInWords, languageName, money, roundMoney, shortDate, timeInZone } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon, Tag } from '../ui/Icon';
import { ConsentSection } from './Consents';
import { useDeskState, useNow, useWords } from './context';
import { NumberFact, Origin } from './Linked';
import { Absent, Of, panel, recordPanel } from './panels';
import { type Account, type CustomerRecord, toMs } from './protocol';
import type { LiveCard } from './store';
import { useUi } from './ui';
import { nameOf, numberIs } from './words';

export function MatchTag({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  if (c.record && c.stale) return <Tag kind="warn" icon="clock" testid="match">{t('match.stale', { when: dayInWords(toMs(c.record_at), now, lang) })}</Tag>;
  switch (c.match) {
    case 'exact':
      if (c.entered?.found) return <Tag kind="warn" icon="bang" testid="match">{t('match.keyed_in')}</Tag>;
      return <Tag kind="ok" icon="check" testid="match">{t(c.chosen ? 'match.chosen' : 'match.exact')}</Tag>;
    case 'several':
      return <Tag kind="warn" icon="users" testid="match">{t('match.several', { count: c.candidates?.length ?? 0 })}</Tag>;
    case 'pending':
      return <Tag kind="line" icon="clock" testid="match">{t('match.pending')}</Tag>;
    case 'failed':
      return <Tag kind="warn" icon="alert" testid="match">{t('match.failed')}</Tag>;
    default:
      return <Tag kind="line" icon={c.caller.number ? 'bang' : 'lock'} testid="match">{t(c.caller.number ? 'match.none' : 'match.withheld')}</Tag>;
  }
}

/** What the caller has keyed in, and whose telephone it is. */
function EnteredTag({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const e = c.entered;
  if (!e) return null;
  return (
    <>
      <Tag kind="line" icon="bang" testid="entered">{t(e.found ? 'entered.found' : 'entered.nobody', { number: e.number })}</Tag>
      {e.instead && <Tag kind="warn" icon="users" testid="entered-instead">{t('entered.instead', { name: e.instead.name })}</Tag>}
    </>
  );
}

export function networkSays(c: LiveCard): string {
  switch (numberIs(c.caller)) {
    case 'shown':
      return c.caller.trusted ? 'network.trusted' : 'network.untrusted';
    case 'withheld':
      return c.caller.trusted ? 'network.withheld' : 'network.withheld_untrusted';
    default:
      return 'network.nothing';
  }
}

/** Years and months since a date, "" when it is not known. */
export function tenure(since: string | undefined, now: number, t: ReturnType<typeof useWords>['t']): string {
  const ms = toMs(since);
  if (!ms) return '';
  const a = new Date(ms), b = new Date(now);
  const months = Math.max(0, (b.getFullYear() - a.getFullYear()) * 12 + b.getMonth() - a.getMonth() - (b.getDate() < a.getDate() ? 1 : 0));
  return t('tenure', { years: Math.floor(months / 12), months: months % 12 });
}

export const riskWord = (risk: number) => (risk >= 60 ? 'risk.high' : risk >= 30 ? 'risk.medium' : 'risk.low');

export function Who({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const ui = useUi();
  const r = c.record;
  const state = recordPanel(c, true);
  return (
    <div className={ui.whoOpen ? 'col sheet scroll who-open' : 'col sheet scroll'} tabIndex={0} role="region" aria-label={t('who.title')}>
      <WhoStrip c={c} />
      <section className="sec" {...panel('who', state)}>
        <header><h2>{t('who.title')}</h2></header>
        <div className="row wrap tags"><MatchTag c={c} /><EnteredTag c={c} />{r?.key_account && <Tag kind="info" icon="star">{t('who.key_account')}</Tag>}{r && manyPeople(r) && <Tag kind="plain" icon={r.kind === 'company' ? 'shop' : 'users'}>{t(`kind.${r.kind}`)}</Tag>}{r?.do_not_call && <Tag kind="warn" icon="phone-off">{t('who.do_not_call')}</Tag>}</div>
        {r ? <Facts c={c} r={r} /> : <Absent state={state} empty={t('who.empty')} />}
      </section>
      {r && manyPeople(r) && <Around r={r} />}
      {r && <Standing r={r} />}
      {r && r.churn_risk !== undefined && <Leaving r={r} risk={r.churn_risk} />}
      {r && <ConsentSection key={`${c.call}-${r.id}`} c={c} r={r} />}
      {r && !manyPeople(r) && <Around r={r} />}
    </div>
  );
}

export function Facts({ c, r, children }: { c: LiveCard; r: CustomerRecord; children?: React.ReactNode }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  const s = useDeskState();
  const there = timeInZone(now, r.zone, lang);
  const others = (r.numbers ?? []).filter((n) => n.e164 !== c.caller.number);
  return (
    <dl className="facts">
      <dt>{t('who.network')}</dt><dd>{t(networkSays(c))}</dd>
      <dt>{t('who.customer')}</dt><dd className="num" data-testid="customer-id">{r.id}</dd>
      {r.language && <><dt>{t('who.speaks')}</dt><dd>{languageName(r.language, lang)} {there && <span className="t3 nowrap">{t('who.local_time', { time: there })}</span>}</dd></>}
      {r.country && <><dt>{t('who.country')}</dt><dd>{countryName(r.country, lang)}</dd></>}
      {others.length > 0 && <><dt>{t('who.numbers')}</dt><dd>{others.map((n) => <span key={n.e164} className="other-number"><span className="num">{formatNumber(n.e164, c.dialled)}</span> {n.person && <>{n.person} </>}{n.label && <span className="t3">{labelWord(n.label, t)}</span>} <Origin n={n} />{n.account && <> <Of account={n.account} /></>}</span>)}</dd></>}
      <NumberFact c={c} r={r} />
      {r.last_agent && <><dt>{t('who.last_agent')}</dt><dd>{r.last_agent.agent === s.me?.id ? t('who.you') : nameOf(s, r.last_agent)} {r.last_agent_at && <span className="t3 nowrap">{shortDate(toMs(r.last_agent_at), now, lang)}</span>}</dd></>}
      {children}
    </dl>
  );
}

/** Whether several people are one customer: then who they are comes first. */
const manyPeople = (r: CustomerRecord) => r.kind === 'household' || r.kind === 'company';

/** Who belongs to the customer: people, accounts within the account, accounts that were merged. */
function Around({ r }: { r: CustomerRecord }) {
  const { t } = useWords();
  return (
    <>
      {r.others && r.others.length > 0 && (
        <section className="sec">
          <header><h2>{t(manyPeople(r) ? `others.${r.kind}` : 'who.others')}</h2></header>
          <ul className="reasons">{r.others.map((o) => <li key={o.name}><Icon name="user" /><span>{o.name}</span><span className="t3 xs">{o.detail}</span></li>)}</ul>
        </section>
      )}
      {(r.part_of || (r.sub_accounts ?? []).length > 0) && <SubAccounts r={r} />}
      {r.accounts && r.accounts.length > 0 && <Accounts list={r.accounts} />}
    </>
  );
}

/** Where the account stands: in what it is a part, and what is part of it. */
function SubAccounts({ r }: { r: CustomerRecord }) {
  const { t } = useWords();
  const list = r.sub_accounts ?? [];
  return (
    <section className="sec" data-testid="sub-accounts">
      <header><h2>{t('who.sub_accounts')}</h2>{list.length > 0 && <span className="count">{list.length}</span>}</header>
      {r.part_of && <p>{t('who.part_of')} <b>{r.part_of.name}</b> <span className="num t3">{r.part_of.id}</span></p>}
      <ul className="reasons">{list.map((a) => <li key={a.id}><Icon name="book" /><span>{a.name} <span className="num t3">{a.id}</span></span><span className="t3 xs">{a.detail}</span></li>)}</ul>
    </section>
  );
}

/** Who else this customer is: what comes of each has its number beside it. */
function Accounts({ list }: { list: Account[] }) {
  const { t, lang } = useWords();
  return (
    <section className="sec" data-testid="accounts">
      <header><h2>{t('who.accounts')}</h2></header>
      <ul className="reasons">{list.map((a) => (
        <li key={a.id}><Icon name="book" /><span><span className="num">{a.id}</span> {a.name}</span>
          <span className="t3 xs nowrap">{a.billing && money(a.billing.balance, lang, true)}</span></li>
      ))}</ul>
    </section>
  );
}

function labelWord(label: string, t: ReturnType<typeof useWords>['t']): string {
  return ['mobile', 'home', 'work'].includes(label) ? t(`label.${label}`) : label;
}

function Standing({ r }: { r: CustomerRecord }) {
  const { t, lang } = useWords();
  const now = useNow(60_000);
  const long = tenure(r.customer_since, now, t);
  if (!r.segment && !long && !r.yearly_value && !r.account_manager) return null;
  return (
    <section className="sec">
      <header><h2>{t('who.standing')}</h2>{r.account_manager && <span className="more t3 cut">{t('who.manager', { name: r.account_manager.name })}</span>}</header>
      <dl className="trio">
        {r.segment && <div><dt>{t('who.segment')}</dt><dd className="row" style={{ gap: 4 }}><Icon name="star" size="sm" />{r.segment}</dd></div>}
        {long && <div><dt>{t('who.with_us')}</dt><dd className="num">{long}</dd></div>}
        {r.yearly_value && <div className="wide-only"><dt>{t('who.worth')}</dt><dd className="num">{roundMoney(r.yearly_value, lang)}</dd></div>}
      </dl>
    </section>
  );
}

function Leaving({ r, risk }: { r: CustomerRecord; risk: number }) {
  const { t } = useWords();
  const kind = risk >= 60 ? 'bad' : risk >= 30 ? 'warn' : 't2';
  return (
    <section className="sec">
      <header>
        <h2>{t('who.may_leave')}</h2>
        <span className={`more row b ${kind}`} style={{ gap: 7 }}>
          <span className="five" aria-hidden="true">{[10, 30, 50, 70, 90].map((x) => <i key={x} className={risk >= x ? 'on' : undefined} />)}</span>
          {t(riskWord(risk), { risk })}
        </span>
      </header>
      {r.churn_reasons && <ul className="reasons">{r.churn_reasons.map((x) => <li key={x}><Icon name="downr" /><span>{x}</span></li>)}</ul>}
    </section>
  );
}

/** Who, folded to one line in narrow windows. */
function WhoStrip({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const ui = useUi();
  const now = useNow(60_000);
  const r = c.record;
  return (
    <div className="who-strip" {...panel('who', recordPanel(c, true))}>
      <MatchTag c={c} />
      {r && <span className="num">{r.id}</span>}
      {r?.language && <span>{languageName(r.language, lang)}</span>}
      {r?.segment && <span><b>{r.segment}</b> <span className="t3">{tenure(r.customer_since, now, t)}</span></span>}
      {r?.churn_risk !== undefined && r.churn_risk >= 30 && <span className={r.churn_risk >= 60 ? 'bad b' : 'warn b'}><Icon name="downr" size="sm" />{t('who.may_leave_strip', { word: t(riskWord(r.churn_risk), { risk: r.churn_risk }) })}</span>}
      <button type="button" className="btn btn-quiet btn-sm strip-more" aria-expanded={ui.whoOpen} onClick={() => ui.setWhoOpen(!ui.whoOpen)}>{t(ui.whoOpen ? 'who.less' : 'who.more')}</button>
    </div>
  );
}
