// What the customer has: money, products, tickets, and the contacts so far.
import { useCallback, useState } from 'react';
import { searchInHand } from '../api/http';
import { dayInWords, duration, money, nearDate, shortDate } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Hits, SearchField } from '../search/Hits';
import { useSearch } from '../search/search';
import { channelIcon } from '../ui/channels';
import { DueTag } from '../ui/DueTag';
import { Icon, Tag } from '../ui/Icon';
import type { IconName } from '../ui/glyphs';
import { detailInWords } from './Asks';
import { useDeskState, useNow, useWords } from './context';
import { Sound } from './Messages';
import { Absent, Of, panel, recordPanel } from './panels';
import { openOnes, OpenRequestButton, RequestLink, useCardRequests, useOpenRequest } from './Requests';
import { RequestTag } from '../requests/RequestTag';
import { type Billing, type Interaction, isOffer, type Link, type Product, type Ticket, toMs } from './protocol';
import { From, Sources } from './Sources';
import type { LiveCard } from './store';
import { nameOf } from './words';

export function MoneyAndProducts({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  const b = c.record?.billing;
  const products = c.record?.products ?? [];
  const at = toMs(b?.at);
  return (
    <section className="sheet sec">
      <header><h2>{t('money.title')}</h2><Sources c={c} of={['money', 'products']} />{b && !c.sources?.some((s) => s.name === b.source) && <span className="more t3" data-testid="billing-source">{t(c.stale ? 'money.stale' : 'money.source', { source: b.source, when: at ? nearDate(at, now, lang) : '' })}</span>}</header>
      <div {...panel('money', recordPanel(c, !!b, 'money'))}>{b ? <Bills b={b} /> : <Absent state={recordPanel(c, false, 'money')} empty={t('money.empty')} />}{c.record?.billing_else?.map((x) => <SaidElse key={x.source} b={x} />)}</div>
      <div {...panel('products', recordPanel(c, products.length > 0, 'products'))} className="scroll prod-box" tabIndex={products.length > 5 ? 0 : undefined} role={products.length > 5 ? 'region' : undefined} aria-label={products.length > 5 ? t('products.title') : undefined}>
        {products.length > 0 ? <Products list={products} home={c.dialled} /> : c.record && <Absent state={recordPanel(c, false, 'products')} empty={t('products.empty')} />}
      </div>
      <Facts c={c} />
    </section>
  );
}

function Bills({ b }: { b: Billing }) {
  const { t, lang } = useWords();
  const now = useNow(60_000);
  const overdue = b.overdue && b.overdue.minor !== 0 ? b.overdue : null;
  const word = overdue ? t('money.overdue', { money: money(overdue, lang), count: b.overdue_days ?? 0 }) : b.balance.minor < 0 ? t('money.to_pay') : b.balance.minor > 0 ? t('money.credit') : t('money.nothing_overdue');
  const date = (d?: string) => (toMs(d) ? shortDate(toMs(d), now, lang) : '');
  return (
    <dl className="money">
      <div><dt>{t('money.balance')}</dt><dd className={overdue ? 'bad' : undefined}><span data-testid="balance" data-minor={b.balance.minor} data-currency={b.balance.currency}>{money(b.balance, lang, true)}</span> <small className={overdue ? 'bad' : 'opt'}>{word}</small></dd></div>
      {b.last_bill && <div><dt>{t('money.last_bill')}</dt><dd>{money(b.last_bill, lang)} <small>{b.paid_on ? t('money.paid_on', { date: date(b.paid_on) }) : b.last_bill_on ? t('money.of', { date: date(b.last_bill_on) }) : ''}</small></dd></div>}
      {b.next_bill_on && <div><dt>{t('money.next_bill')}</dt><dd>{date(b.next_bill_on)}</dd></div>}
      {b.we_owe && b.we_owe.minor !== 0 && <div><dt>{t('money.we_owe')}</dt><dd className="warn">{money(b.we_owe, lang)} {b.we_owe_since && <small className="warn opt">{t('money.since', { date: date(b.we_owe_since) })}</small>}</dd></div>}
    </dl>
  );
}

/** What another system says of the money, where it is not what is shown. */
function SaidElse({ b }: { b: Billing }) {
  const { t, lang } = useWords();
  const now = useNow(60_000);
  const overdue = b.overdue && b.overdue.minor !== 0 ? t('money.overdue', { money: money(b.overdue, lang), count: b.overdue_days ?? 0 }) : '';
  return (
    <p className="said-else warn" data-testid="said-else"><Icon name="bang" size="sm" />
      {t('source.says', { source: b.source, when: toMs(b.at) ? nearDate(toMs(b.at), now, lang) : '', what: [money(b.balance, lang, true), overdue].filter(Boolean).join(', ') })}
    </p>
  );
}

/** What outside systems say that the record has no place for. */
function Facts({ c }: { c: LiveCard }) {
  const list = c.record?.facts ?? [];
  return list.length === 0 ? null : (
    <dl className="facts" data-testid="facts">
      {list.map((f) => <div key={f.source + f.name}><dt>{f.name}</dt><dd>{f.value}<From source={f.source} /></dd></div>)}
    </dl>
  );
}

const productIcon: Record<string, IconName> = { fibre: 'wifi', mobile: 'mobile', tv: 'tv', insurance: 'shield', account: 'book' };
const productStates = ['active', 'paused', 'fault', 'ended'];

function ProductTag({ p }: { p: Product }) {
  const { t } = useWords();
  const word = productStates.includes(p.status) ? t(`product.${p.status}`) : p.status;
  if (p.status === 'fault') return <Tag kind="bad" icon="alert">{p.note || word}</Tag>;
  if (p.status === 'paused') return <Tag kind="plain" icon="pause">{word}</Tag>;
  if (p.status === 'ended') return <Tag kind="plain" icon="x">{word}</Tag>;
  return p.note ? <Tag kind="warn" icon="bang">{p.note}</Tag> : <Tag kind="plain" icon="check">{word}</Tag>;
}

/** A product's own number is written like any other. */
const detailOf = (d: string, home: string) => (/^\+\d{7,15}$/.test(d) ? formatNumber(d, home) : d);

function Products({ list, home }: { list: Product[]; home: string }) {
  const { t, lang } = useWords();
  return (
    <table className="tbl prod" data-testid="products">
      <thead className="vh"><tr><th>{t('products.kind')}</th><th>{t('products.name')}</th><th>{t('products.state')}</th><th>{t('products.price')}</th></tr></thead>
      <tbody>
        {list.map((p) => (
          <tr key={(p.source ?? '') + p.id}>
            <td className="ico"><Icon name={productIcon[p.kind] ?? 'ticket'} /></td>
            <td><b className="m">{p.name}</b> {p.detail && <span className="t3 opt">{detailOf(p.detail, home)}</span>} <Of account={p.account} /><From source={p.source} /></td>
            <td><ProductTag p={p} /></td>
            <td className="r num">{p.price ? money(p.price, lang) : ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TicketTag({ x }: { x: Ticket }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  if (x.status === 'closed') return <Tag kind="ok" icon="check">{x.closed_at ? t('ticket.closed_on', { date: shortDate(toMs(x.closed_at), now, lang) }) : t('ticket.closed')}</Tag>;
  const due = toMs(x.due_at);
  if (!due) return <Tag kind="line" icon="ticket">{t('ticket.open')}</Tag>;
  return <DueTag due={due} now={now} />;
}

export function Tickets({ c, stacked }: { c: LiveCard; stacked?: boolean }) {
  const { t } = useWords();
  const now = useNow(30_000);
  const list = c.record?.tickets ?? [];
  const requests = useCardRequests();
  const open = list.filter((x) => x.status !== 'closed').length + openOnes(requests.list).length;
  const rows = list.length + requests.list.length;
  const [onOpen, dialog] = useOpenRequest(requests);
  return (
    <section className="sheet sec" {...panel('tickets', recordPanel(c, list.length > 0, 'tickets'))}>
      <header><h2>{t('tickets.title')}</h2>{c.record && <span className="count">{t('tickets.open', { count: open })}</span>}<Sources c={c} of={['tickets']} />{c.record && !isOffer(c.phase) && c.phase !== 'connecting' && <OpenRequestButton c={c} />}</header>
      {dialog}
      {rows === 0 ? <Absent state={recordPanel(c, false, 'tickets')} empty={t('tickets.empty')} /> : stacked ? (
        <ul className="rec" data-testid="tickets">{requests.list.map((r) => <li key={r.ref}><Icon name="flag" /><span><RequestLink r={r} onOpen={onOpen} /> {r.title}</span><RequestTag r={r} now={now} /></li>)}{list.map((x) => <li key={(x.source ?? '') + x.id}><Icon name="ticket" /><span><span className="num t2">{x.id}</span> {x.title} <Of account={x.account} /><From source={x.source} />{x.detail && <small>{x.detail}</small>}</span><TicketTag x={x} /></li>)}</ul>
      ) : (
        <div className="scroll tick-box" tabIndex={rows > 3 ? 0 : undefined} role={rows > 3 ? 'region' : undefined} aria-label={rows > 3 ? t('tickets.title') : undefined}>
          <table className="tbl prod tick" data-testid="tickets"><colgroup><col className="tid" /><col /><col className="tdue" /></colgroup>
            <thead className="vh"><tr><th>{t('tickets.id')}</th><th>{t('tickets.what')}</th><th>{t('tickets.when')}</th></tr></thead>
            <tbody>
              {requests.list.map((r) => <tr key={r.ref} data-late={r.late}><td className="tid"><RequestLink r={r} onOpen={onOpen} /></td><td className="cut" title={r.title}><b className="m">{r.title}</b></td><td className="r"><RequestTag r={r} now={now} /></td></tr>)}
              {list.map((x) => <tr key={(x.source ?? '') + x.id}><td className="num tid">{x.id}</td><td className="cut" title={x.detail ? `${x.title}. ${x.detail}` : x.title}><b className="m">{x.title}</b> {x.account && <><Of account={x.account} /> </>}{x.detail && <span className="t3">{x.detail}</span>}<From source={x.source} /></td><td className="r"><TicketTag x={x} /></td></tr>)}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const filters = ['all', 'calls', 'written', 'visits'] as const;
type Filter = (typeof filters)[number];
const inFilter: Record<Filter, (ch: string) => boolean> = {
  all: () => true,
  calls: (ch) => ch === 'call' || ch === 'voicemail',
  written: (ch) => ['chat', 'mail', 'sms', 'web', 'fax'].includes(ch),
  visits: (ch) => ['shop', 'visit'].includes(ch),
};

export function Timeline({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const [filter, setFilter] = useState<Filter>('all');
  const search = useSearch(useCallback((words: string, after: string) => searchInHand(c.call, words, after), [c.call]));
  const all = c.record?.interactions ?? [];
  const lastCall = Math.max(0, ...all.filter((x) => x.channel === 'call').map((x) => toMs(x.at)));
  const firstNote = all.findIndex((x) => x.note);
  const channels = new Set(all.map((x) => x.channel)).size;
  const shown = all.map((x, i) => ({ x, i })).filter(({ x }) => inFilter[filter](x.channel));
  return (
    <section className="sheet tl-box" {...panel('timeline', recordPanel(c, all.length > 0, 'timeline'))}>
      <header className="sec row tl-head">
        <h2>{t('timeline.title')}</h2>
        {c.record && all.length > 0 && <span className="count">{t('timeline.count', { contacts: t('contacts', { count: c.record.contacts }), channels: t('channels', { count: channels }) })}</span>}
        <Sources c={c} of={['timeline']} />
        {all.length > 0 && <span className="seg" role="group" aria-label={t('timeline.filter')}>{filters.map((f) => <button key={f} type="button" aria-pressed={f === filter} onClick={() => setFilter(f)}>{t(`timeline.${f}`)}</button>)}</span>}
      </header>
      {c.record && all.length > 0 && !isOffer(c.phase) && <SearchField id="history-search" label={t('search.history')} value={search.words} onChange={search.setWords} onSearch={search.start} onEnd={search.end} />}
      <div className="scroll" tabIndex={0} role="region" aria-label={t('timeline.title')}>
        {search.asked ? <Hits s={search} /> : all.length === 0 ? <div className="tl-none"><Absent state={recordPanel(c, false, 'timeline')} empty={t('timeline.empty')} /></div>
          : <ol className="tl" data-testid="timeline">{shown.map(({ x, i }) => <Contact key={x.id} x={x} fresh={x.channel !== 'call' && lastCall > 0 && toMs(x.at) > lastCall} lastNote={i === firstNote} />)}</ol>}
      </div>
    </section>
  );
}

/** What is no https address is no link: it came from another system. */
function Links({ list }: { list: Link[] }) {
  const { t } = useWords();
  const safe = list.flatMap((l) => {
    const to = URL.canParse(l.url) ? new URL(l.url) : undefined;
    return to?.protocol === 'https:' ? [{ href: to.href, host: to.host, title: l.title || to.host }] : [];
  });
  return safe.length === 0 ? null : (
    <p className="tl-links" data-testid="links">
      {safe.map((l) => <a key={l.href} href={l.href} target="_blank" rel="noopener noreferrer" title={l.host} aria-label={t('timeline.link', { title: l.title, host: l.host })}><Icon name="out" size="sm" />{l.title}</a>)}
    </p>
  );
}

function Contact({ x, fresh, lastNote }: { x: Interaction; fresh: boolean; lastNote: boolean }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  const s = useDeskState();
  const me = s.me?.id;
  const mine = x.agent !== undefined && x.agent.agent === me;
  const promised = toMs(x.promised_by);
  const broken = promised > 0 && x.kept !== true && (x.kept === false || promised < now);
  const channel = channelIcon[x.channel] ? t(mine && x.channel === 'call' ? 'channel.call_with_you' : `channel.${x.channel}`) : x.channel;
  const under = [x.detail && detailInWords(x.detail, t), x.duration_s ? t('timeline.lasted', { time: duration(x.duration_s * 1000) }) : '', x.agent && !mine && !x.note ? nameOf(s, x.agent) : ''].filter(Boolean);
  return (
    <li className={mine ? 'mine' : fresh ? 'hot' : undefined}>
      <time dateTime={x.at}>{nearDate(toMs(x.at), now, lang)}</time>
      <span className="ch"><Icon name={channelIcon[x.channel] ?? 'note'} /></span>
      <div className="what">
        <b>{channel}</b> {x.title} <Of account={x.account} />
        {under.map((u) => <p key={u}>{u}</p>)}
        {x.source && <p className="t3" data-testid="source">{t('timeline.source', { source: x.source })}{x.changed_at && ' · ' + t('timeline.changed', { when: nearDate(toMs(x.changed_at), now, lang) })}</p>}
        {x.links && <Links list={x.links} />}
        {x.channel === 'voicemail' && x.call !== undefined && <Sound call={x.call} label={t('timeline.play_message')} />}
        {x.note && <p data-testid={lastNote ? 'last-note' : undefined}>{mine || !x.agent ? t(mine ? 'timeline.your_note' : 'timeline.note', { text: x.note }) : t('timeline.note_by', { name: nameOf(s, x.agent), text: x.note })}</p>}
      </div>
      {broken ? <Tag kind="bad" icon="alert">{t('timeline.promise_broken')}</Tag>
        : promised > 0 && x.kept === undefined ? <Tag kind="warn" icon="clock">{t('timeline.promised_by', { day: dayInWords(promised, now, lang) })}</Tag>
          : fresh ? <Tag kind="info" icon="bang">{t('timeline.new')}</Tag> : <span />}
    </li>
  );
}
