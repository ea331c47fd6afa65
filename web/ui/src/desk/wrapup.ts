// Finishing a call: which outcome, which state afterwards, and saving both.
import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import type { Desk } from './client';
import { askedFields, type Disposition } from './protocol';
import { type DeskState, draftOf, type LiveCard } from './store';
import type { Ui } from './ui';

export interface WrapUp {
  /** State after saving: "available" or a reason for not being ready. */
  next: string;
  setNext: (v: string) => void;
  codes: Disposition[];
  outcome: string;
  choose: (id: string) => void;
  /** What the chosen outcome asks for, and what is written there. */
  asks: string[];
  answers: Record<string, string>;
  answer: (field: string, text: string) => void;
  required: boolean;
  /** Saving was tried without the outcome this queue asks for. */
  missing: boolean;
  save: () => void;
}

const Context = createContext<WrapUp | null>(null);
export const WrapUpProvider = Context.Provider;

export function useWrapUp(): WrapUp {
  const w = useContext(Context);
  if (!w) throw new Error('no call around this part');
  return w;
}

/** Takes the focus to the outcomes, where their digits count: to the chosen one, else to the first. */
export function focusOutcome(): void {
  const box = document.querySelector('[data-testid="dispositions"]');
  (box?.querySelector<HTMLElement>('[aria-checked="true"]') ?? box?.querySelector('button'))?.focus();
}

const noCodes: Disposition[] = [];
const noAnswers: Record<string, string> = {};

export function useWrapUpState(c: LiveCard | null, s: DeskState, desk: Desk, ui: Ui): WrapUp {
  const [next, setNext] = useState('available');
  const [missing, setMissing] = useState(false);
  const call = c?.call ?? 0;
  // During a PBX's call her state is her own: a break that she has asked for stays one.
  const away = c?.pbx && s.status?.state === 'not_ready' && s.status.reason !== 'pbx_call' ? s.status.reason : '';
  useEffect(() => {
    setNext(away || 'available');
    setMissing(false);
  }, [call, away]);
  const off = c?.disposition === 'off';
  const codes = (!off && c?.set && s.dispositions[c.set]) || noCodes;
  const outcome = c ? draftOf(s, c.call).outcome : '';
  const asks = useMemo(() => askedFields.filter((f) => codes.find((x) => x.id === outcome)?.asks?.includes(f)), [codes, outcome]);
  const answers = c ? draftOf(s, c.call).answers : noAnswers;
  const answer = useCallback((field: string, text: string) => {
    if (c) desk.setAnswer(c, field, text);
  }, [c, desk]);
  const required = c?.disposition === 'required' && codes.length > 0;
  const choose = useCallback((id: string) => {
    if (!c) return;
    setMissing(false);
    desk.setOutcome(c, outcome === id ? '' : id);
  }, [c, desk, outcome]);
  const save = useCallback(() => {
    if (!c || c.phase !== 'wrap_up') return;
    if (required && !outcome) {
      setMissing(true);
      focusOutcome();
      return;
    }
    const said = Object.fromEntries(asks.map((f) => [f, (answers[f] ?? '').trim()]).filter(([, text]) => text));
    void ui.run(desk.wrapUp(c, outcome, said, draftOf(desk.state, c.call).text, next));
  }, [answers, asks, c, desk, next, outcome, required, ui]);
  return useMemo(() => ({ next, setNext, codes, outcome, choose, asks, answers, answer, required, missing, save }), [next, codes, outcome, choose, asks, answers, answer, required, missing, save]);
}
