// The supervisor's page of open requests: those due first, whose they are, whose task.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { agentNames, signOut, type User } from '../api/http';
import { LanguageButton } from '../desk/StatusBar';
import { formatNumber } from '../format/phone';
import { useRequestList, typeTitle } from './list';
import { named, ownerOf, type Person, RequestDialog, type Viewer } from './RequestDialog';
import { RequestTag } from './RequestTag';
import { Icon } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';

const filters = ['all', 'mine', 'only_late'] as const;
type Filter = (typeof filters)[number];
const asks = { all: {}, mine: { task: true }, only_late: { late: true } };

export function RequestsPage({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t } = useTranslation();
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  useEffect(() => void (document.title = t('title.requests')), [t]);
  return (
    <div className="shell" data-testid="requests-page">
      <Rail page={t('requests.title')} icon="flag" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head"><h1>{t('requests.title')}</h1><span className="right"><LanguageButton /></span></header>
        <Requests user={user} onSignedOut={onSignedOut} />
      </div>
    </div>
  );
}

function Requests({ user, onSignedOut }: { user: User; onSignedOut: () => void }) {
  const { t, i18n } = useTranslation();
  const [people, setPeople] = useState<Person[]>([]);
  useEffect(() => void agentNames().then(setPeople, () => undefined), []);
  const [filter, setFilter] = useState<Filter>('all');
  const [open, setOpen] = useState('');
  const all = useRequestList(asks[filter], onSignedOut);
  const now = useMinute();
  const me: Viewer = { id: user.id, name: user.name, supervisor: true, people };
  return (
    <main className="requests">
      <section className="sheet">
        <header className="sec row bd-head"><h2>{t('requests.title')}</h2><span className="count">{t('tickets.open', { count: all.list.length })}</span>
          <span className="seg req-seg" role="group" aria-label={t('requests.filter')}>{filters.map((f) => <button key={f} type="button" aria-pressed={f === filter} onClick={() => setFilter(f)} data-testid={`filter-${f}`}>{t(`requests.${f}`)}</button>)}</span></header>
        {all.failed && <p className="absent warn pad" role="status"><Icon name="alert" size="sm" />{t('requests.failed')}</p>}
        {all.list.length === 0 ? <p className="absent t3 pad">{t('requests.none_such')}</p> : (
          <div className="scroll-x" tabIndex={0} role="region" aria-label={t('requests.title')}>
            <table className="tbl tbl-pad" data-testid="requests">
              <thead><tr><th>{t('requests.reference')}</th><th>{t('requests.about')}</th><th>{t('requests.type')}</th><th>{t('requests.customer')}</th><th>{t('requests.owner')}</th><th>{t('requests.task')}</th><th className="r">{t('requests.due')}</th></tr></thead>
              <tbody>{all.list.map((r) => (
                <tr key={r.ref} data-late={r.late} data-testid={`row-${r.ref}`}>
                  <td><button type="button" className="req-link mono" onClick={() => setOpen(r.ref)} data-testid={`request-${r.ref}`}>{r.ref}</button></td>
                  <td><b className="m">{r.title}</b>{r.untold && <span className="bad xs nowrap"> <Icon name="alert" size="sm" />{t('requests.untold')}</span>}</td>
                  <td>{typeTitle(r.type_title, i18n.language, r.type)}</td>
                  <td>{r.name || r.customer || (r.number ? formatNumber(r.number, '') : t('requests.nobody'))}</td>
                  <td>{ownerOf(r, me)}</td>
                  <td className={r.task_of ? 'bad' : undefined}>{r.task_of && named(me, r.task_of)}</td>
                  <td className="r nowrap"><RequestTag r={r} now={now} /></td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        )}
      </section>
      {open && <RequestDialog key={open} ref_={open} me={me} now={now} onClose={() => setOpen('')} onChanged={() => void all.read()} />}
    </main>
  );
}

function useMinute(): number {
  const [at, set] = useState(Date.now);
  useEffect(() => {
    const h = setInterval(() => set(Date.now()), 30_000);
    return () => clearInterval(h);
  }, []);
  return at;
}

