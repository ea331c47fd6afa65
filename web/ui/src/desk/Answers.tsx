// Standard answers: those of the call's topic, and a search over all.
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { clockTime, shortDate } from '../format/intl';
import { Icon } from '../ui/Icon';
import { useDesk, useDeskState, useWords } from './context';
import { panel } from './panels';
import { dueSince } from './review';
import { type Answer, isTalk, toMs, type UsedAnswer } from './protocol';
import type { LiveCard } from './store';
import { useUi } from './ui';
import { topicTitle } from './words';

const searchDelayMs = 200;

/** Search over the whole base; null while nothing is asked. */
function useSearch(topic: string) {
  const { lang } = useWords();
  const desk = useDesk();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<Answer[] | null>(null);
  const [failed, setFailed] = useState(false);
  const asked = useRef(0);
  const ask = async (q: string, tp: string) => {
    const mine = ++asked.current;
    try {
      const a = await desk.findAnswers(lang, tp, q);
      if (mine === asked.current) {
        setFound(a);
        setFailed(false);
      }
    } catch {
      if (mine === asked.current) setFailed(true);
    }
  };
  const later = useDebouncedCallback(ask, searchDelayMs);
  return { query, found, failed, ask: () => void ask(query, topic), setQuery: (q: string) => { setQuery(q); if (q.trim() === '' && topic === '') setFound(null); later(q, topic); }, clear: () => { asked.current++; setQuery(''); setFound(null); } };
}

const noAnswers: Answer[] = [];

/** At most so many stand on a card. */
const onCard = 5;

/**
 * The call's answers in the page's language. The server sends them in the one
 * that it was told at the sign-in: after a change they are asked for.
 */
function useOwn(c: LiveCard): Answer[] {
  const { lang } = useWords();
  const desk = useDesk();
  const sent = c.answers ?? noAnswers;
  const topic = c.topic || sent[0]?.topic || '';
  const [found, setFound] = useState<{ key: string; answers: Answer[] } | null>(null);
  const key = lang === desk.spoken ? '' : `${lang} ${topic}`;
  useEffect(() => {
    if (!key) return;
    let current = true;
    desk.findAnswers(lang, topic, '').then((answers) => current && setFound({ key, answers }), () => undefined);
    return () => void (current = false);
  }, [desk, key, lang, topic]);
  if (!key || found?.key !== key) return sent;
  if (topic && found.answers.length > 0) return found.answers.slice(0, onCard);
  // General ones, of no topic: what cannot be had in this language stays as it came.
  return sent.map((a) => found.answers.find((x) => x.id === a.id) ?? a);
}

export function Answers({ c }: { c: LiveCard }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const ui = useUi();
  const search = useSearch('');
  const own = useOwn(c);
  const searching = ui.search && search.query.trim() !== '' && search.found !== null;
  const list = searching ? search.found ?? [] : own;
  const readBefore = (c.used ?? []).filter((u) => !list.some((a) => a.id === u.answer));
  return (
    <section className="sheet sec scroll answers" {...panel('answers', own.length > 0 || readBefore.length > 0 ? 'shown' : 'empty')} tabIndex={0} role="region" aria-label={t('answers.title')}>
      <header>
        <h2>{t('answers.title')}</h2>
        {c.topic && <span className="count wide-only cut">{t('answers.for', { topic: topicTitle(s, c.topic, lang) })}</span>}
        <button type="button" className="btn btn-quiet btn-sm more" aria-expanded={ui.search} data-testid="answers-search" onClick={() => { ui.setSearch(!ui.search); search.clear(); }}>
          {t(ui.search ? 'answers.close_search' : 'answers.search')} <kbd>F2 K</kbd>
        </button>
      </header>
      {ui.search && <SearchField value={search.query} onChange={search.setQuery} />}
      {search.failed && ui.search && <p className="absent warn"><Icon name="alert" size="sm" />{t('answers.search_failed')}</p>}
      {list.length === 0 ? <p className="absent t3">{t(searching ? 'answers.none_found' : 'answers.empty')}</p> : (
        <ul className="ans" data-testid="answers">{list.map((a, i) => <AnswerItem key={a.id} a={a} open={i === 0} used={(c.used ?? []).filter((u) => u.answer === a.id)} c={c} />)}</ul>
      )}
      {!searching && readBefore.length > 0 && <ul className="ans">{readBefore.map((u) => <li key={u.answer + u.agent} className="q"><Icon name="check" size="sm" /><span className="t2">{u.title}</span><UsedBy u={u} /></li>)}</ul>}
    </section>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (v: string) => void }) {
  const { t } = useWords();
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return <span className="field answer-search"><Icon name="search" size="sm" /><input ref={ref} type="search" value={value} aria-label={t('answers.search_label')} placeholder={t('answers.search_label')} onChange={(e) => onChange(e.currentTarget.value)} /></span>;
}

function UsedBy({ u }: { u: UsedAnswer }) {
  const { t, lang } = useWords();
  const s = useDeskState();
  const time = clockTime(toMs(u.at), lang);
  const name = s.colleagues.find((x) => x.id === u.agent)?.name ?? u.agent;
  return <span className="xs t3 nowrap">{u.agent === s.me?.id ? t('answers.read_at', { time }) : t('answers.read_by', { time, name })}</span>;
}

/** From its review day on an answer may no longer be right: who knows is named. */
function Due({ since, owner }: { since: number; owner: string | undefined }) {
  const { t, lang } = useWords();
  const desk = useDesk();
  const s = useDeskState();
  const date = shortDate(since, desk.now(), lang);
  const name = owner === s.me?.id ? s.me?.name : s.colleagues.find((x) => x.id === owner)?.name ?? owner;
  return <p className="absent warn"><Icon name="alert" size="sm" />{name ? t('answers.due_owner', { date, name }) : t('answers.due_since', { date })}</p>;
}

function AnswerItem({ a, open: first, used, c }: { a: Answer; open: boolean; used: UsedAnswer[]; c?: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const me = useDeskState().me?.id;
  const [open, setOpen] = useState(first);
  const foreign = a.lang !== document.documentElement.lang ? a.lang : undefined;
  const mine = used.some((u) => u.agent === me);
  const due = dueSince(a, desk.now());
  const last = used[used.length - 1];
  return (
    <li>
      <div className={mine ? 'used' : undefined}>
        <button type="button" className="q" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={used.length > 0 && !open ? 'check' : open ? 'cd' : 'cr'} size="sm" />
          <span className={open ? 'b' : used.length > 0 ? 't2' : undefined}><span lang={foreign}>{a.title}</span>{due !== null && <> <span className="tag tag-warn" data-testid="answer-due">{t('answers.due')}</span></>}</span>
          {last ? <UsedBy u={last} /> : <span />}
        </button>
        {open && <>
          {due !== null && <Due since={due} owner={a.owner} />}
          <p className="say" lang={foreign}>{t('answers.quote', { text: a.say })}</p>
          {a.steps && a.steps.length > 0 && <ol lang={foreign}>{a.steps.map((x) => <li key={x}>{x}</li>)}</ol>}
          {c && isTalk(c.phase) && !mine && <div className="do"><button type="button" className="btn btn-quiet btn-sm" data-testid="answer-used" onClick={() => void ui.run(desk.answerUsed(c, a))}><Icon name="check" size="sm" />{t('answers.mark_read')}</button></div>}
        </>}
      </div>
    </li>
  );
}

/** The base between calls: by topic, or searched. */
export function AnswerBase() {
  const { t, lang } = useWords();
  const s = useDeskState();
  const [topic, setTopic] = useState('');
  const search = useSearch(topic);
  const online = s.link.is === 'online';
  const { ask } = search;
  useEffect(() => {
    if (online) ask();
    // Asked anew when the topic or the language changes, or the line comes back.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [topic, lang, online]);
  return (
    <section className="sheet base" aria-label={t('answers.title')}>
      <header className="sec row"><h2>{t('answers.title')}</h2>
        <span className="field grow"><Icon name="search" size="sm" /><input type="search" value={search.query} aria-label={t('answers.search_label')} placeholder={t('answers.search_label')} onChange={(e) => search.setQuery(e.currentTarget.value)} /></span>
      </header>
      {s.topics.length > 0 && <div className="topics" role="group" aria-label={t('answers.topics')}>
        {[{ id: '' }, ...s.topics].map((x) => <button key={x.id} type="button" className="chip" aria-pressed={topic === x.id} onClick={() => setTopic(x.id)}>{x.id ? topicTitle(s, x.id, lang) : t('answers.all_topics')}</button>)}
      </div>}
      <div className="scroll grow base-list" tabIndex={0} role="region" aria-label={t('answers.found')}>
        {search.failed && <p className="absent warn"><Icon name="alert" size="sm" />{t('answers.search_failed')}</p>}
        {search.found && search.found.length === 0 && <p className="absent t3">{t('answers.none_found')}</p>}
        {search.found && <ul className="ans">{search.found.map((a) => <AnswerItem key={a.id} a={a} open={false} used={[]} />)}</ul>}
      </div>
    </section>
  );
}
