// The supervisor's page of customers who may be one: side by side, merged, told
// apart, and made two again.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Candidate, type Duplicates, HttpError, keepApart, listDuplicates, listMerges, type Merge, mergeCustomers, signOut, undoMerge, type User } from '../api/http';
import { toMs } from '../desk/protocol';
import { LanguageButton } from '../desk/StatusBar';
import { languageName, money, nearDate, shortDate } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';

const said = ['no_customer', 'same', 'merged', 'too_many', 'unavailable'];

function useMerges(onSignedOut: () => void) {
  const [found, setFound] = useState<Duplicates[] | null>(null);
  const [more, setMore] = useState(0);
  const [merges, setMerges] = useState<Merge[]>([]);
  const [refusal, setRefusal] = useState('');
  const run = useCallback(async (act: () => Promise<void>) => {
    try {
      await act();
      setRefusal('');
    } catch (err) {
      if (err instanceof HttpError && err.status === 401) onSignedOut();
      else setRefusal(err instanceof HttpError && said.includes(err.code) ? err.code : 'other');
    }
  }, [onSignedOut]);
  const read = useCallback(() => run(async () => {
    const [d, m] = await Promise.all([listDuplicates(), listMerges()]);
    setFound(d.duplicates);
    setMore(d.more);
    setMerges(m);
  }), [run]);
  useEffect(() => void read(), [read]);
  /** Takes one out of a group; of one there is no group. */
  const without = (group: Duplicates, id: string) => setFound((all) => all && all.flatMap((g) => {
    const rest = g === group ? { ...g, customers: g.customers.filter((c) => c.id !== id) } : g;
    return rest.customers.length > 1 ? [rest] : [];
  }));
  return {
    found, more, merges, refusal, read,
    merge: (group: Duplicates, keep: string, other: string) => run(async () => {
      await mergeCustomers(keep, other);
      without(group, other);
      setMerges(await listMerges());
    }),
    apart: (group: Duplicates, keep: string, other: string) => run(async () => {
      await keepApart(keep, other);
      without(group, other);
    }),
    undo: (m: Merge) => run(async () => {
      await undoMerge(m.merge);
      await read();
    }),
  };
}

type Shown = ReturnType<typeof useMerges>;

export function Merges({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const m = useMerges(onSignedOut);
  useEffect(() => void (document.title = t('title.merges')), [t]);
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  return (
    <div className="shell" data-testid="merges">
      <Rail page={t('rail.merges')} icon="user" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head"><h1>{t('merges.title')}</h1><span className="right"><LanguageButton /></span></header>
        <main className="merges">
          {m.refusal && <p className="warn row" role="status"><Icon name="alert" size="sm" />{t(`merges.refused_${m.refusal}`)}</p>}
          <section aria-label={t('merges.found')}>
            {m.found?.length === 0 && <p className="sheet absent t2 pad">{t('merges.none')}</p>}
            {m.found?.map((g) => <Group key={g.customers.map((c) => c.id).join(' ')} g={g} m={m} />)}
            {m.more > 0 && <p className="row t2"><span>{t('merges.more', { count: m.more })}</span><button type="button" className="btn btn-sm" onClick={() => void m.read()}><Icon name="redo" size="sm" />{t('merges.again')}</button></p>}
          </section>
          <Done m={m} />
        </main>
      </div>
    </div>
  );
}

/** Who was in touch most is whose record is kept, unless somebody says another. */
const usual = (g: Duplicates) => g.customers.reduce((best, c) => (c.contacts > best.contacts ? c : best)).id;

function Group({ g, m }: { g: Duplicates; m: Shown }) {
  const { t } = useTranslation();
  const [keep, setKeep] = useState(() => usual(g));
  return (
    <article className="sheet" data-testid="duplicates">
      <header className="sec row bd-head"><h2>{g.customers[0]!.name}</h2><span className="count">{t('merges.shared', { count: g.numbers })}</span></header>
      <div className="scroll-x" tabIndex={0} role="region" aria-label={g.customers.map((c) => c.id).join(', ')}>
        <table className="tbl tbl-pad side">
          <thead><tr><th scope="col">{t('merges.what')}</th>{g.customers.map((c) => (
            <th scope="col" key={c.id}><label className="row"><input type="radio" name={g.customers.map((x) => x.id).join(' ')} checked={keep === c.id} onChange={() => setKeep(c.id)} /><b className="num">{c.id}</b>{keep === c.id && <span className="t2">{t('merges.kept')}</span>}</label></th>
          ))}</tr></thead>
          <tbody><Rows list={g.customers} /><tr>
            <th scope="row">{t('merges.what_now')}</th>
            {g.customers.map((c) => <td key={c.id}>{c.id === keep ? <span className="t3">{t('merges.stays')}</span> : (
              <span className="row wrap">
                <button type="button" className="btn btn-act btn-sm" data-testid={`merge-${c.id}`} onClick={() => void m.merge(g, keep, c.id)}>{t('merges.merge', { id: c.id, keep })}</button>
                <button type="button" className="btn btn-sm" data-testid={`apart-${c.id}`} onClick={() => void m.apart(g, keep, c.id)}>{t('merges.apart')}</button>
              </span>
            )}</td>)}
          </tr></tbody>
        </table>
      </div>
    </article>
  );
}

/** What is the same of all stands back; what differs is what decides. */
function Rows({ list }: { list: Candidate[] }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const now = Date.now();
  const date = (d: string) => (d ? shortDate(toMs(d), now, lang) : '');
  const rows: [string, (c: Candidate) => string][] = [
    [t('merges.name'), (c) => c.name],
    [t('merges.numbers'), (c) => c.numbers.map((n) => formatNumber(n, '')).join(', ')],
    [t('merges.since'), (c) => date(c.customer_since)],
    [t('merges.segment'), (c) => c.segment],
    [t('who.speaks'), (c) => (c.language ? languageName(c.language, lang) : '')],
    [t('products.title'), (c) => c.products.join(', ')],
    [t('merges.open_tickets'), (c) => String(c.open_tickets)],
    [t('merges.contacts'), (c) => (c.last_contact ? t('merges.contacts_last', { count: c.contacts, when: nearDate(toMs(c.last_contact), now, lang) }) : String(c.contacts))],
    [t('money.balance'), (c) => (c.balance ? money(c.balance, lang, true) : '')],
    [t('merges.accounts'), (c) => c.accounts.join(', ')],
  ];
  return <>{rows.map(([name, of]) => {
    const values = list.map(of);
    if (values.every((v) => !v)) return null;
    const same = values.every((v) => v === values[0]);
    return <tr key={name} className={same ? 't3' : undefined}><th scope="row">{name}</th>{values.map((v, i) => <td key={list[i]!.id}>{v || '–'}</td>)}</tr>;
  })}</>;
}

function Done({ m }: { m: Shown }) {
  const { t, i18n } = useTranslation();
  const now = Date.now();
  return (
    <section className="sheet sec" data-testid="merged">
      <header><h2>{t('merges.done')}</h2><span className="count">{t('merges.latest')}</span></header>
      {m.merges.length === 0 ? <p className="absent t3">{t('merges.none_done')}</p> : (
        <ul className="rec merged">{m.merges.map((x) => (
          <li key={x.merge}>
            <span><b className="num">{x.other}</b> {x.other_name}<small>{t('merges.in', { id: x.whole, name: x.whole_name })}</small><small>{t('merges.by', { name: x.by, when: nearDate(toMs(x.at), now, i18n.language) })}</small></span>
            <button type="button" className="btn btn-sm" data-testid={`undo-${x.merge}`} onClick={() => void m.undo(x)}><Icon name="redo" size="sm" />{t('merges.undo')}</button>
          </li>
        ))}</ul>
      )}
    </section>
  );
}
