// The supervisor's live board: queues worst first, agents by state, calls, and
// why the longest of them waits.
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut, type User } from '../api/http';
import { useReasonWord } from '../desk/IdleBar';
import { type AgentStateName, toMs } from '../desk/protocol';
import { agentJack } from '../desk/states';
import { LanguageButton } from '../desk/StatusBar';
import { clockSeconds, duration, number, percent } from '../format/intl';
import { Icon, Jack } from '../ui/Icon';
import { type Place, Rail } from '../ui/Rail';
import { type AgentRow, blockedBy, type BoardData, type CallRow, type Counts, isWaiting, pressure, type QueueRow, serviceLevel, useBoard, worstFirst } from './stream';

export function Board({ user, places, onSignedOut }: { user: User; places: Place[]; onSignedOut: () => void }) {
  const { t, i18n } = useTranslation();
  const { board, link, offset } = useBoard();
  const tick = useTick();
  // What is no longer heard of does not get older: the clocks stand with the figures.
  const now = link === 'live' || !board ? tick + offset : toMs(board.at);
  const well = link === 'live' && !board?.degraded?.length;
  useEffect(() => void (document.title = t('title.board')), [t]);
  useEffect(() => {
    if (link === 'signed_out') onSignedOut();
  }, [link, onSignedOut]);
  const leave = useCallback(async () => {
    await signOut().catch(() => undefined);
    onSignedOut();
  }, [onSignedOut]);
  return (
    <div className="shell" data-testid="board" data-link={link}>
      <Rail page={t('rail.board')} icon="users" places={places} name={user.name} ring="var(--st-away)" onSignOut={() => void leave()} />
      <div className="work">
        <header className="head">
          <h1>{t('board.title')}</h1>
          <span className="right">
            <span className={well ? 'row t2' : 'row warn b'} role="status"><Icon name={well ? 'signal' : link === 'live' ? 'alert' : 'unlink'} size="sm" />{t(well ? 'board.live' : link === 'live' ? 'board.degraded' : link === 'connecting' ? 'link.connecting' : 'board.lost')}</span>
            {board && <span className="num t2" role="timer">{clockSeconds(toMs(board.at), i18n.language)}</span>}
            <LanguageButton />
          </span>
        </header>
        {board && <Sheets b={board} now={now} />}
      </div>
    </div>
  );
}

function useTick(): number {
  const [at, set] = useState(Date.now);
  useEffect(() => {
    const h = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(h);
  }, []);
  return at;
}

function Sheets({ b, now }: { b: BoardData; now: number }) {
  const queues = worstFirst(b.queues ?? [], now);
  const calls = b.calls ?? [];
  const agents = (b.agents ?? []).filter((a) => a.state !== 'signed_out');
  return (
    <main className="board">
      <Figures centre={b.centre} queues={queues} agents={agents} now={now} />
      <div className="board-main"><Queues queues={queues} calls={calls} formula={b.formula ?? ''} now={now} /><Agents agents={agents} now={now} /></div>
      <aside className="board-side"><Waiting calls={calls} queues={queues} agents={agents} now={now} /><Calls calls={calls} queues={queues} agents={agents} now={now} /></aside>
    </main>
  );
}

const title = (queues: QueueRow[], name?: string) => queues.find((q) => q.name === name)?.title || name || '';

function Figures({ centre, queues, agents, now }: { centre?: Counts; queues: QueueRow[]; agents: AgentRow[]; now: number }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const sum = (f: (q: QueueRow) => number) => queues.reduce((n, q) => n + f(q), 0);
  const oldest = queues.filter((q) => q.waiting > 0 && toMs(q.oldest_since)).sort((a, b) => toMs(a.oldest_since) - toMs(b.oldest_since))[0];
  const level = serviceLevel(centre);
  const answered = centre?.answered ?? 0;
  const abandoned = centre?.abandoned ?? 0;
  const known = answered + abandoned;
  const late = oldest && pressure(oldest, now) > 1;
  return (
    <dl className="sheet strip">
      <Figure k={t('board.waiting')} v={number(sum((q) => q.waiting), lang)} />
      <Figure k={t('board.longest')} v={oldest ? duration(now - toMs(oldest.oldest_since)) : '–'} small={oldest ? title(queues, oldest.name) : ''} bad={late} />
      <Figure k={t('board.level')} v={level === null ? '–' : percent(level, lang)} small={t('board.of_calls', { count: centre?.decided ?? 0 })} />
      <Figure k={t('board.abandoned')} v={known === 0 ? '–' : percent(abandoned / known, lang)} small={t('board.calls', { count: abandoned })} />
      <Figure k={t('board.answered')} v={number(answered, lang)} small={t('board.of_offered', { count: centre?.offered ?? 0 })} />
      <Figure k={t('board.ready')} v={number(agents.filter((a) => a.state === 'available').length, lang)} small={t('board.of_signed_in', { count: agents.length })} />
    </dl>
  );
}

function Figure({ k, v, small, bad }: { k: string; v: string; small?: string; bad?: boolean }) {
  return <div><dt>{k}</dt><dd><b className={bad ? 'bad' : undefined}>{bad && <Icon name="alert" />}{v}</b>{small && <span className="cut">{small}</span>}</dd></div>;
}

function Queues({ queues, calls, formula, now }: { queues: QueueRow[]; calls: CallRow[]; formula: string; now: number }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  const backs = queues.some((q) => (q.callbacks ?? 0) + (q.callbacks_waiting ?? 0) > 0);
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t('board.queues')}</h2><span className="count">{t('board.worst_first')}</span>
        <span className="legend xs t2"><span className="jacks" aria-hidden="true"><i /></span>{t('board.in_time')}<span className="jacks" aria-hidden="true"><i className="off" /></span>{t('board.offered')}<span className="jacks" aria-hidden="true"><i className="late" /></span>{t('board.past')}</span></header>
      <div className="scroll-x" tabIndex={0} role="region" aria-label={t('board.queues')}>
        <table className="tbl qt tbl-pad" data-testid="queues">
          <thead><tr><th>{t('board.queue')}</th><th>{t('board.waiting_col')}</th><th className="r">{t('board.longest_col')}</th><th className="r">{t('board.expected_col')}</th><th className="r">{t('board.level_col')}</th><th className="r">{t('board.abandoned')}</th><th className="r">{t('board.answered')}</th>{backs && <th className="r">{t('board.callbacks')}</th>}<th className="r">{t('board.talking')}</th><th className="r">{t('board.ready')}</th></tr></thead>
          <tbody>{queues.map((q) => {
            const level = serviceLevel(q);
            const known = q.answered + q.abandoned;
            const p = pressure(q, now);
            return (
              <tr key={q.name} data-testid={`queue-${q.name}`}>
                <td className="name">{q.title || q.name}{!q.open && <span className="t3 closed"> {t('board.closed')}</span>}</td>
                <td className="nowrap"><b data-testid="waiting">{q.waiting}</b><Jacks calls={calls.filter((c) => c.queue === q.name && isWaiting(c))} goal={q.answer_within_s} now={now} /></td>
                <td className="r num">{q.waiting > 0 && toMs(q.oldest_since) ? <Pressed p={p}>{duration(now - toMs(q.oldest_since))}</Pressed> : '–'}</td>
                <td className="r num" data-testid="expected">{q.ewt_known ? duration((q.ewt_s ?? 0) * 1000) : '–'}
                  {(q.told_wait ?? 0) > 0 && <span className="t3 xs nowrap" data-testid="told" title={t('board.told_long', { n: q.told_wait_kept ?? 0, m: q.told_wait })}> {t('board.told', { share: percent((q.told_wait_kept ?? 0) / (q.told_wait ?? 1), lang) })}</span>}</td>
                <td className="r num" data-testid="level">{level === null ? '–' : percent(level, lang)}</td>
                <td className="r num">{known === 0 ? '–' : percent(q.abandoned / known, lang)}</td>
                <td className="r num">{number(q.answered, lang)}</td>
                {backs && <td className="r num nowrap"><Backs q={q} /></td>}
                <td className="r num">{q.talking}</td>
                <td className="r num">{t('board.n_of_m', { n: q.available, m: q.staffed })}</td>
              </tr>
            );
          })}</tbody>
        </table>
      </div>
      <p className="note-line">{t('board.formula')}{formula && <> <span data-testid="formula">{formula}</span></>}</p>
    </section>
  );
}

/** Who is to be called back, and what became of the day's callbacks. */
function Backs({ q }: { q: QueueRow }) {
  const { t } = useTranslation();
  const taken = q.callbacks ?? 0;
  const waiting = q.callbacks_waiting ?? 0;
  if (taken + waiting === 0) return <>–</>;
  const said = { waiting, done: q.callbacks_done ?? 0, failed: q.callbacks_failed ?? 0 };
  return (
    <span data-testid="callbacks" aria-label={t('board.callbacks_long', said)} title={t('board.callbacks_long', said)}>
      <b>{waiting}</b><span className="t3 xs"> {t('board.callbacks_day', said)}</span>
    </span>
  );
}

/** Late is a sign and a colour; near its goal, another sign. */
function Pressed({ p, children }: { p: number; children: React.ReactNode }) {
  if (p > 1) return <span className="late-t"><Icon name="alert" />{children}</span>;
  if (p > 0.75) return <span className="near-t"><Icon name="clock" />{children}</span>;
  return <>{children}</>;
}

const maxJacks = 12;

function Jacks({ calls, goal, now }: { calls: CallRow[]; goal: number; now: number }) {
  const kind = (c: CallRow) => (goal > 0 && now - toMs(c.since) > goal * 1000 ? 'late' : c.phase === 'offered' || c.phase === 'ringing' ? 'off' : undefined);
  return <span className="jacks" aria-hidden="true">{calls.slice(0, maxJacks).map((c) => <i key={c.call} className={kind(c)} />)}</span>;
}

const lanes: { key: string; states: AgentStateName[] }[] = [
  { key: 'available', states: ['available'] }, { key: 'offered', states: ['offered', 'ringing'] }, { key: 'talking', states: ['talking', 'hold'] },
  { key: 'wrap_up', states: ['wrap_up'] }, { key: 'not_ready', states: ['not_ready'] },
];

function Agents({ agents, now }: { agents: AgentRow[]; now: number }) {
  const { t } = useTranslation();
  const reason = useReasonWord();
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t('board.agents')}</h2><span className="count">{t('board.signed_in', { count: agents.length })}</span></header>
      <div className="lanes" data-testid="agents">{lanes.map(({ key, states }) => {
        const here = agents.filter((a) => states.includes(a.state)).sort((a, b) => toMs(a.since) - toMs(b.since));
        return (
          <div key={key}>
            <h3><Jack name={agentJack(states[0]!)} />{t(`state.${key}`)}<b>{here.length}</b></h3>
            <ul className="ag">{here.map((a) => (
              <li key={a.agent} data-testid={`agent-${a.agent}`} data-state={a.state}>
                <span>{a.state === 'hold' && <Jack name="hold" />}{a.name}{!a.desk && <em> {t('board.no_desk')}</em>}{a.phone === 'down' && <em> {t('board.no_phone')}</em>}</span><span className="num">{toMs(a.since) ? duration(now - toMs(a.since)) : ''}</span>
                {a.reason && a.state === 'not_ready' && <em className={a.reason === 'rona' ? 'rsn bad' : 'rsn'}>{reason(a.reason)}</em>}
              </li>
            ))}</ul>
          </div>
        );
      })}</div>
    </section>
  );
}

const nameOf = (agents: AgentRow[], id: string) => agents.find((a) => a.agent === id)?.name ?? id;

const codes = ['excluded', 'language', 'team', 'busy', 'ringing', 'wrap_up', 'barred', 'no_desk', 'later_step', 'policy', 'site', 'reserve', 'max_talking', 'pending'];

function useCode(agents: AgentRow[]) {
  const { t } = useTranslation();
  const reason = useReasonWord();
  return (code: string, count: number): string => {
    const [head = '', rest = ''] = code.split(/:(.*)/s);
    if (head === 'lacks') {
      const [skill = '', level = ''] = rest.split('>=');
      return t('blocked_by.lacks', { count, skill: skill.replace(/^lang_/, '').replaceAll('_', ' '), level });
    }
    if (head === 'away') return t('blocked_by.away', { count, reason: reason(rest) });
    if (head === 'held_for') return t('blocked_by.held_for', { count, agent: nameOf(agents, rest) });
    return codes.includes(head) ? t(`blocked_by.${head}`, { count }) : t('blocked_by.other', { count, code });
  };
}

/** Why the call that waits longest waits. */
function Waiting({ calls, queues, agents, now }: { calls: CallRow[]; queues: QueueRow[]; agents: AgentRow[]; now: number }) {
  const { t } = useTranslation();
  const word = useCode(agents);
  const longest = calls.filter((c) => isWaiting(c) && c.phase !== 'offered' && c.phase !== 'ringing').sort((a, b) => toMs(a.since) - toMs(b.since))[0];
  if (!longest) return <section className="sheet sec"><header><h2>{t('board.why_title')}</h2></header><p className="t2">{t('board.nobody_waits')}</p></section>;
  const why = blockedBy(longest);
  return (
    <section className="sheet sec" data-testid="why-waiting">
      <header><h2>{t('board.why_title')}</h2></header>
      <p className="md"><b>{title(queues, longest.queue)}</b>, {t('board.call_no', { call: longest.call })} <b className="num">{duration(now - toMs(longest.since))}</b></p>
      <p className="t2">{t(why.length ? 'board.why_sentence' : 'board.why_soon')}</p>
      <ul className="why46">{why.map(([code, n]) => <li key={code}><b className="num">{n}</b><span>{word(code, n)}</span></li>)}</ul>
    </section>
  );
}

const phases = ['resolving', 'waiting', 'holding', 'offered', 'ringing', 'talking', 'hold', 'treated', 'callback', 'dialling', 'number', 'voicemail'];

function Calls({ calls, queues, agents, now }: { calls: CallRow[]; queues: QueueRow[]; agents: AgentRow[]; now: number }) {
  const { t } = useTranslation();
  return (
    <section className="sheet">
      <header className="sec row bd-head"><h2>{t('board.live_calls')}</h2><span className="count">{t('board.calls', { count: calls.length })}</span></header>
      <div className="scroll calls-box" tabIndex={0} role="region" aria-label={t('board.live_calls')}>
        {calls.length === 0 ? <p className="absent t3 pad">{t('board.no_calls')}</p> : (
          <table className="tbl tbl-pad" data-testid="calls">
            <thead><tr><th>{t('board.call')}</th><th>{t('board.phase')}</th><th>{t('board.queue')}</th><th className="r">{t('board.since')}</th></tr></thead>
            <tbody>{calls.map((c) => (
              <tr key={c.call} data-testid={`call-${c.call}`} data-phase={c.phase}>
                <td className="mono">{c.call}</td>
                <td>{phases.includes(c.phase) ? t(`phase.${c.phase}`) : c.phase}{c.agent && <span className="t3 xs"> {nameOf(agents, c.agent)}</span>}</td>
                <td>{title(queues, c.queue)}{c.step > 1 && <span className="t3 xs"> {t('board.step', { n: c.step })}</span>}</td>
                <td className="r num">{duration(now - toMs(isWaiting(c) ? c.since : c.entered))}</td>
              </tr>
            ))}</tbody>
          </table>
        )}
      </div>
    </section>
  );
}
