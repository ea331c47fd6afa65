// What callers have left in mailboxes, for those who serve their queue: a list of
// tasks that stands between calls.
import { useCallback, useEffect, useState } from 'react';
import { HttpError, listMessages, type Message, messageSound, setMessage } from '../api/http';
import { duration, nearDate } from '../format/intl';
import { formatNumber } from '../format/phone';
import { Icon, Tag } from '../ui/Icon';
import { useDeskState, useNow, useWords } from './context';
import { toMs } from './protocol';
import { nameOf, queueTitle } from './words';

const readEveryMs = 20_000;

export interface Mailbox {
  list: Message[]; // the one that has waited longest comes first
  failed: boolean; // to be read
  refused: boolean; // what was done last was not kept
  mark: (m: Message, state: Message['state']) => Promise<void>;
}

/** The messages that are not done, read again while the desk is on line. */
export function useMailbox(): Mailbox {
  const online = useDeskState().link.is === 'online';
  const [list, setList] = useState<Message[]>([]);
  const [failed, setFailed] = useState(false);
  const [refused, setRefused] = useState(false);
  const read = useCallback(async () => {
    try {
      const [fresh, heard] = await Promise.all([listMessages('new'), listMessages('heard')]);
      setList([...fresh, ...heard.filter((m) => !fresh.some((f) => f.call === m.call))].sort((a, b) => a.left_at - b.left_at));
      setFailed(false);
    } catch {
      setFailed(true);
    }
  }, []);
  useEffect(() => {
    if (!online) return;
    void read();
    const h = setInterval(() => void read(), readEveryMs);
    return () => clearInterval(h);
  }, [online, read]);
  const mark = useCallback(async (m: Message, state: Message['state']) => {
    // One that is gone is no longer in the list: nothing to tell.
    setRefused(await setMessage(m.call, state).then(() => false, (e: unknown) => !(e instanceof HttpError && e.status === 404)));
    await read();
  }, [read]);
  return { list, failed, refused, mark };
}

export function Messages({ box }: { box: Mailbox }) {
  const { t } = useWords();
  const fresh = box.list.filter((m) => m.state === 'new').length;
  return (
    <section className="sheet sec scroll msgs" tabIndex={0} role="region" aria-label={t('messages.title')} data-testid="messages">
      <header><h2>{t('messages.title')}</h2><span className="count">{t('messages.new', { count: fresh })}</span></header>
      {(box.failed || box.refused) && <p className="absent warn" role="status"><Icon name="alert" size="sm" />{t(box.failed ? 'messages.failed' : 'messages.refused')}</p>}
      {box.list.length === 0 ? !box.failed && <p className="absent t3">{t('messages.none')}</p>
        : <ul>{box.list.map((m) => <Item key={m.call} m={m} box={box} />)}</ul>}
    </section>
  );
}

function Item({ m, box }: { m: Message; box: Mailbox }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const now = useNow(30_000);
  const number = m.number ? formatNumber(m.number, '') : t('messages.withheld');
  const who = m.name || number;
  return (
    <li data-testid={`message-${m.call}`} data-state={m.state}>
      <div className="row"><b className="cut">{who}</b>{m.state === 'new' ? <Tag kind="info" icon="bang">{t('messages.is_new')}</Tag> : <span className="t3 xs cut">{t('messages.heard_by', { name: nameOf(s, { agent: m.by, name: m.by }) })}</span>}</div>
      <p className="t2 xs">{[m.name ? number : '', m.queue ? queueTitle(s, m.queue, lang) : '', nearDate(toMs(m.left_at), now, lang), duration(m.length_ms)].filter(Boolean).join(' · ')}</p>
      <Sound call={m.call} label={t('messages.play', { who })} onPlay={() => { if (m.state === 'new') void box.mark(m, 'heard'); }} />
      <div className="row do">
        {m.number && <a className="btn btn-quiet btn-sm" href={`tel:${m.number}`}><Icon name="phone" size="sm" />{t('messages.call_back')}</a>}
        <button type="button" className="btn btn-quiet btn-sm" onClick={() => void box.mark(m, 'done')}><Icon name="check" size="sm" />{t('messages.done')}</button>
      </div>
    </li>
  );
}

/** A message to be heard; it is fetched when it is played. */
export function Sound({ call, label, onPlay }: { call: number; label: string; onPlay?: () => void }) {
  return <audio className="sound" controls preload="none" src={messageSound(call)} aria-label={label} onPlay={onPlay} />;
}
