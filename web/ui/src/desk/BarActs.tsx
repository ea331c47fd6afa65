// The acts of the bar: what can be done now stands where it always stands;
// what cannot be done says why.
import { useEffect, useRef } from 'react';
import { Icon } from '../ui/Icon';
import { Ring } from './BarClocks';
import { useDesk, useDeskState, useNow, useWords } from './context';
import { isOffer } from './protocol';
import type { LiveCard } from './store';
import { useUi } from './ui';
import { useWrapUp } from './wrapup';

export const declineReasons = ['not_my_topic', 'know_caller', 'not_now'] as const;

export function BarActs({ c }: { c: LiveCard }) {
  const link = useDeskState().link;
  if (link.is !== 'online') return <LostActs c={c} />;
  if (isOffer(c.phase) || c.phase === 'connecting') return <OfferActs c={c} />;
  if (c.phase === 'wrap_up') return <WrapUpActs c={c} />;
  return <TalkActs c={c} />;
}

function OfferActs({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const ui = useUi();
  if (ui.declining) return <div className="acts"><DeclineReasons c={c} />{c.phase === 'may_accept' && <AnswerButton c={c} />}</div>;
  return (
    <div className="acts">
      {c.phase !== 'connecting' && !c.pbx && (
        <button type="button" className="btn-bar btn-decline" data-testid="decline" aria-haspopup="menu" title={t('act.decline_hint')} onClick={() => ui.setDeclining(true)}>
          <Icon name="x" /><span>{t('act.decline')}</span>
        </button>
      )}
      {c.phase === 'may_accept' ? <AnswerButton c={c} /> : <PhoneRings c={c} />}
    </div>
  );
}

function AnswerButton({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const answer = () => void ui.run(desk.accept(c));
  useEffect(() => {
    ui.mainAct.current = answer;
    return () => void (ui.mainAct.current = null);
  });
  return (
    <button type="button" className="btn-answer" data-testid="answer" aria-keyshortcuts="Control+Enter" onClick={answer}>
      <Ring from={c.phaseAt} to={c.endsAt} label={t('act.answer_left')} warn />
      <span><b>{t('act.answer')}</b><small>Ctrl Enter</small></span>
    </button>
  );
}

/** Where the phone is picked up by hand there is no Answer: this says what the phone does. */
function PhoneRings({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const head = c.phase === 'ringing' ? 'rings.pick_up' : c.phase === 'calling' ? 'rings.calling' : c.phase === 'lead' ? 'rings.read_first' : c.phase === 'connecting' ? 'rings.connecting' : c.mode === 'on_accept' ? 'rings.soon_answer' : 'rings.read_first';
  const small = c.phase === 'ringing' ? (c.ringWhy === 'phone_cannot' ? 'rings.phone_cannot' : 'rings.now') : c.phase === 'calling' ? 'rings.calling_then' : c.phase === 'connecting' ? 'rings.phone_picks_up' : c.mode === 'on_accept' ? 'rings.silent' : 'rings.then';
  return (
    <div className="phone-rings" data-testid="phone-rings">
      {c.endsAt > 0 && (c.phase === 'ringing' || c.phase === 'lead')
        ? <Ring from={c.phaseAt} to={c.endsAt} label={t(c.phase === 'ringing' ? 'rings.left' : 'rings.until')} warn={c.phase === 'ringing'} />
        : <span className="ring still"><Icon name="phone" size="lg" /></span>}
      <span><b>{t(head)}</b><small>{t(small)}</small></span>
    </div>
  );
}

function DeclineReasons({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.querySelector('button')?.focus();
    return () => before?.focus?.();
  }, []);
  const decline = async (reason: string) => {
    if (await ui.run(desk.decline(c, reason))) ui.setDeclining(false);
  };
  const onKey = (e: React.KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll('button') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const digit = /^(?:Digit|Numpad)([1-3])$/.exec(e.code)?.[1];
    if (digit) void decline(declineReasons[Number(digit) - 1]!);
    else if (e.key === 'ArrowRight' || e.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
    else if (e.key === 'ArrowLeft' || e.key === 'ArrowUp') items[(at + items.length - 1) % items.length]?.focus();
    else return;
    e.preventDefault();
  };
  return (
    <div className="acts" role="menu" aria-label={t('bar.declining')} ref={box} onKeyDown={onKey} data-testid="decline-reasons">
      {declineReasons.map((r, i) => (
        <button key={r} type="button" role="menuitem" className="btn-bar" data-testid={`decline-${r}`} onClick={() => void decline(r)}>
          <kbd>{i + 1}</kbd>{t(`decline.${r}`)}
        </button>
      ))}
    </div>
  );
}

function TalkActs({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const held = c.phase === 'hold';
  if (c.consult) return <AskingActs c={c} />;
  if (c.question) return <LeaveActs c={c} word="act.leave" />;
  if (c.pbx) return <LeaveActs c={c} word="act.over" />;
  return (
    <div className="acts">
      <button type="button" className="btn-bar btn-stack" data-testid="hold" aria-pressed={held} onClick={() => void ui.run(desk.hold(c, !held))}>
        <Icon name={held ? 'play' : 'pause'} />{t(held ? 'act.take_back' : 'act.hold')}
      </button>
      <button type="button" className="btn-bar btn-stack" data-testid="transfer" aria-pressed={ui.transfer} onClick={() => ui.setTransfer(!ui.transfer)}>
        <Icon name="fwd" />{t('act.transfer')}
      </button>
      <button type="button" className="btn-bar btn-stack btn-decline" data-testid="hangup" onClick={() => void ui.run(desk.hangup(c))}>
        <Icon name="phone-off" />{t('act.end')}
      </button>
    </div>
  );
}

/** Asking somebody while the customer holds. */
function AskingActs({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  const held = c.phase === 'hold';
  const talks = c.consult?.phase === 'talking';
  return (
    <div className="acts">
      <button type="button" className="btn-bar btn-stack" data-testid="swap" onClick={() => void ui.run(desk.hold(c, !held))}>
        <Icon name={held ? 'play' : 'pause'} />{t(held ? 'act.to_customer' : 'act.to_question')}
      </button>
      <button type="button" className="btn-bar btn-stack" data-testid="hand-over" aria-disabled={!talks || undefined} title={talks ? undefined : t('act.hand_over_when')} onClick={() => talks && void ui.run(desk.handOver(c))}>
        <Icon name="fwd" />{t('act.hand_over')}
      </button>
      <button type="button" className="btn-bar btn-stack btn-decline" data-testid="stop-asking" onClick={() => void ui.run(desk.stopAsking(c))}>
        <Icon name="x" />{t('act.stop_asking')}
      </button>
    </div>
  );
}

/** A colleague has the customer, or a PBX the call: there is nothing to do but to leave. */
function LeaveActs({ c, word }: { c: LiveCard; word: string }) {
  const { t } = useWords();
  const desk = useDesk();
  const ui = useUi();
  return (
    <div className="acts">
      <button type="button" className="btn-bar btn-stack btn-decline" data-testid="hangup" onClick={() => void ui.run(desk.hangup(c))}>
        <Icon name="phone-off" />{t(word)}
      </button>
    </div>
  );
}

function LostActs({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const desk = useDesk();
  const talking = c.phase === 'talking' || c.phase === 'hold';
  return (
    <div className="acts">
      {talking && !c.pbx && (['hold', 'transfer'] as const).map((a) => (
        <button key={a} type="button" className="btn-bar btn-stack" aria-disabled="true" title={t('lost.why_off')}><Icon name={a === 'hold' ? 'pause' : 'fwd'} />{t(`act.${a}`)}</button>
      ))}
      <button type="button" className="btn-bar btn-stack" data-testid="try-now" onClick={desk.retry}><Icon name="redo" />{t('lost.try_now')}</button>
    </div>
  );
}

function WrapUpActs({ c }: { c: LiveCard }) {
  const { t } = useWords();
  const ui = useUi();
  const now = useNow();
  const w = useWrapUp();
  useEffect(() => {
    ui.mainAct.current = w.save;
    return () => void (ui.mainAct.current = null);
  });
  return (
    <div className="acts">
      <button type="button" className="btn-answer btn-finish" data-testid="save" aria-keyshortcuts="Control+Enter" onClick={w.save}>
        {c.endsAt > now ? <Ring from={c.phaseAt} to={c.endsAt} label={t('act.wrap_up_left')} warn /> : <span className="ring still"><Icon name="check" size="lg" /></span>}
        <span><b>{t('act.save')}</b><small>{t(w.next === 'available' ? 'act.save_then_ready' : 'act.save_then_away')}</small></span>
      </button>
    </div>
  );
}
