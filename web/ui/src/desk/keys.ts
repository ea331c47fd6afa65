// The keys: Ctrl Enter is the main act, F2 opens the strip for the one key
// that follows, Esc closes what was opened last. Letters are taken by their place on
// the keyboard, so that no layout needs switching.
import { useEffect } from 'react';
import type { Desk } from './client';
import { isOffer, isTalk } from './protocol';
import type { LiveCard } from './store';
import type { Ui } from './ui';
import { focusOutcome } from './wrapup';

export interface KeyAct { code: string; letter: string; word: string; run: () => void; keepOpen?: boolean }

/** Held on the way to another key. */
const modifiers = ['Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'CapsLock'];

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

/** What the strip offers now; only what can be done stands in it. */
export function keyActs(c: LiveCard | null, desk: Desk, ui: Ui): KeyAct[] {
  const acts: KeyAct[] = [];
  const add = (letter: string, word: string, run: () => void, keepOpen = false) => acts.push({ code: /\d/.test(letter) ? 'Digit' + letter : 'Key' + letter, letter, word, run, keepOpen });
  const online = desk.state.link.is === 'online';
  if (!c) {
    const ready = desk.state.status?.state === 'available';
    if (online && !ready) add('R', 'key.ready', () => void ui.run(desk.setState('available')));
    if (online && ready) add('B', 'key.not_ready', () => document.querySelector<HTMLElement>('[data-testid="not-ready"]')?.click());
    return acts;
  }
  if (online && c.phase === 'may_accept') add('A', 'key.answer', () => void ui.run(desk.accept(c)));
  if (online && isOffer(c.phase) && !c.pbx) add('D', 'key.decline', () => ui.setDeclining(true));
  if (online && isTalk(c.phase)) {
    if (!c.question && !c.pbx) add('H', c.consult ? (c.phase === 'hold' ? 'key.to_customer' : 'key.to_question') : c.phase === 'hold' ? 'key.take_back' : 'key.hold', () => void ui.run(desk.hold(c, c.phase !== 'hold')));
    if (c.consult?.phase === 'talking') add('T', 'key.hand_over', () => void ui.run(desk.handOver(c)));
    else if (!c.consult && !c.question && !c.pbx) add('T', 'key.transfer', () => ui.setTransfer(true));
    if (c.consult) add('S', 'key.stop_asking', () => void ui.run(desk.stopAsking(c)));
  }
  add('N', 'key.notes', () => focus('#note'));
  if (document.querySelector('#history-search')) add('F', 'key.history', () => focus('#history-search'));
  if (c.phase !== 'wrap_up') add('K', 'key.answers', () => ui.setSearch(true));
  if (document.querySelector('[data-testid="dispositions"]')) add('O', 'key.outcome', focusOutcome);
  if (online && !c.record && c.match === 'several') (c.candidates ?? []).slice(0, 3).forEach((r, i) => add(String(i + 1), 'key.open', () => void ui.run(desk.choose(c, r.id))));
  if (online && isTalk(c.phase) && !c.consult) add('E', ui.strip === 'end' ? 'key.end_again' : 'key.end', () => (ui.strip === 'end' ? void ui.run(desk.hangup(c)) : ui.setStrip('end')), ui.strip !== 'end');
  return acts;
}

export function useKeys(c: LiveCard | null, desk: Desk, ui: Ui): void {
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.isComposing || e.keyCode === 229) return;
      const mod = e.ctrlKey || e.metaKey;
      if (e.code === 'F2' || (mod && e.shiftKey && e.key === 'Enter')) {
        e.preventDefault();
        if (!e.repeat) ui.setStrip(ui.strip === 'closed' ? 'open' : 'closed');
        return;
      }
      if (mod && e.key === 'Enter' && !e.altKey) {
        e.preventDefault();
        ui.setStrip('closed');
        if (!e.repeat) ui.mainAct.current?.();
        return;
      }
      if (e.key === 'Escape') {
        if (ui.closeTopmost()) e.preventDefault();
        return;
      }
      if (ui.strip === 'closed' || modifiers.includes(e.key)) return;
      if (mod || e.altKey) {
        ui.setStrip('closed');
        return;
      }
      // The strip is open: the next key is for it, in a text field too, and
      // closes it even when it stands for nothing.
      e.preventDefault();
      e.stopPropagation();
      if (e.repeat) return;
      const code = e.code.replace('Numpad', 'Digit');
      const act = keyActs(c, desk, ui).find((a) => a.code === code);
      if (!act?.keepOpen) ui.setStrip('closed');
      act?.run();
    };
    document.addEventListener('keydown', onKey, true);
    return () => document.removeEventListener('keydown', onKey, true);
  }, [c, desk, ui]);
}
