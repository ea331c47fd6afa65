// The requests of an agent between calls, and those of the customer in a call.
import { createContext, useContext, useState } from 'react';
import { type TrackedRequest } from '../api/http';
import { type RequestList, useRequestList } from '../requests/list';
import { OpenRequest } from '../requests/OpenRequest';
import { RequestDialog, type Viewer } from '../requests/RequestDialog';
import { RequestTag } from '../requests/RequestTag';
import { Icon } from '../ui/Icon';
import { useDeskState, useNow, useWords } from './context';
import type { LiveCard } from './store';
import { callerName } from './words';

export function useViewer(): Viewer {
  const s = useDeskState();
  const people = s.me ? [{ id: s.me.id, name: s.me.name }, ...s.colleagues.filter((x) => x.id !== s.me?.id)] : s.colleagues;
  return { id: s.me?.id ?? '', name: s.me?.name ?? '', supervisor: false, people: people.map((x) => ({ id: x.id, name: x.name })) };
}

const CardRequests = createContext<RequestList>({ list: [], types: [], failed: false, read: () => Promise.resolve() });

/** The requests of the card's customer, for all parts of the page that show a card; none while nobody is known. */
export function CardRequestsProvider({ c, children }: { c: LiveCard; children: React.ReactNode }) {
  const online = useDeskState().link.is === 'online';
  const all = useRequestList(online ? (c.record ? { customer: c.record.id } : { mine: true }) : null);
  return <CardRequests.Provider value={c.record ? all : { ...all, list: [] }}>{children}</CardRequests.Provider>;
}

export const useCardRequests = () => useContext(CardRequests);

export const openOnes = (list: TrackedRequest[]) => list.filter((r) => r.state !== 'closed');

/** The reference of a request in a line of a table or list: it opens it. */
export function RequestLink({ r, onOpen }: { r: TrackedRequest; onOpen: (ref: string) => void }) {
  return <button type="button" className="req-link mono" onClick={() => onOpen(r.ref)} data-testid={`request-${r.ref}`}>{r.ref}</button>;
}

/** The request that a panel has open, to be put beside its list: it stays when it leaves the list. */
export function useOpenRequest(all: RequestList): [(ref: string) => void, React.ReactNode] {
  const me = useViewer();
  const now = useNow(30_000);
  const [open, setOpen] = useState('');
  return [setOpen, open && <RequestDialog key={open} ref_={open} me={me} now={now} onClose={() => setOpen('')} onChanged={() => void all.read()} />];
}

/** What is the agent's to do, or of a team of the agent's and nobody's yet. */
export function MyRequests() {
  const { t } = useWords();
  const now = useNow(30_000);
  const online = useDeskState().link.is === 'online';
  const all = useRequestList(online ? { mine: true } : null);
  const [onOpen, dialog] = useOpenRequest(all);
  if (all.types.length === 0 && all.list.length === 0 && !all.failed) return null;
  return (
    <section className="sheet sec scroll msgs" tabIndex={0} role="region" aria-label={t('requests.title')} data-testid="my-requests">
      <header><h2>{t('requests.title')}</h2><span className="count">{t('tickets.open', { count: all.list.length })}</span></header>
      {all.failed && <p className="absent warn" role="status"><Icon name="alert" size="sm" />{t('requests.failed')}</p>}
      {all.list.length === 0 ? !all.failed && <p className="absent t3">{t('requests.none')}</p>
        : <ul>{all.list.map((r) => <li key={r.ref} data-late={r.late}><div className="row"><b className="cut">{r.title}</b><RequestTag r={r} now={now} /></div><p className="t2 xs"><RequestLink r={r} onOpen={onOpen} /> {[r.name, r.owner ? '' : r.team].filter(Boolean).join(' · ')}</p></li>)}</ul>}
      {dialog}
    </section>
  );
}

/** Opens a request of the caller; nothing where there are no types of requests. */
export function OpenRequestButton({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const all = useCardRequests();
  const [open, setOpen] = useState(false);
  const [opened, setOpened] = useState('');
  if (all.types.length === 0) return null;
  return (
    <>
      <button type="button" className="btn btn-quiet btn-sm req-open" onClick={() => setOpen(true)} data-testid="request-new"><Icon name="ticket" size="sm" />{opened || t('requests.open')}</button>
      {open && <OpenRequest types={all.types} call={c.call} who={callerName(c, t)} onClose={() => setOpen(false)} onOpened={(r) => {
        setOpened(r.ref);
        setOpen(false);
        void all.read();
      }} />}
    </>
  );
}
