// The pop-ack: says what really stands on the page, once it is painted.
import { useEffect, useState } from 'react';
import type { Desk } from './client';
import { isOffer, isTalk, type PanelName, panelNames, type PanelState } from './protocol';
import type { LiveCard } from './store';

/**
 * Reads from the page which panels stand there and in which state. What a
 * narrow window folds away has no box and does not count.
 */
export function panelsOnPage(root: ParentNode = document): Record<PanelName, PanelState> {
  const out = {} as Record<PanelName, PanelState>;
  for (const name of panelNames) {
    const boxes = [...root.querySelectorAll<HTMLElement>(`[data-panel="${name}"]`)].filter((el) => el.getClientRects().length > 0);
    out[name] = (boxes[0]?.dataset.state as PanelState | undefined) ?? 'empty';
  }
  return out;
}

/** Calls back two animation frames from now: what is committed has been painted by then. */
export function afterPaint(f: () => void): () => void {
  let second = 0;
  const first = requestAnimationFrame(() => {
    second = requestAnimationFrame(f);
  });
  return () => {
    cancelAnimationFrame(first);
    cancelAnimationFrame(second);
  };
}

function useVisible(): boolean {
  const [visible, set] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const f = () => set(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', f);
    return () => document.removeEventListener('visibilitychange', f);
  }, []);
  return visible;
}

/**
 * A call that was passed on tells what its receiver sees, also one that came
 * without an offer: handed over after a question. Once: what she opens during the
 * talk hides no fact from her.
 */
const isTold = (c: LiveCard, painted: boolean) => isOffer(c.phase) || (isTalk(c.phase) && !!c.from && !c.question && !painted);

/**
 * Acks an offer: painted after paint, or at once as hidden; again when the
 * page becomes visible, when the record behind it changes, and on a new line.
 * Returns when the offer's first paint was, in ms of this page's clock.
 */
export function usePopAck(desk: Desk, c: LiveCard | null, line: number, online: boolean): number {
  const visible = useVisible();
  const [painted, setPainted] = useState({ key: '', at: 0 });
  const isPainted = !!c && painted.key === `${c.call}:${c.attempt}`;
  const offer = c && online && isTold(c, isPainted) ? c : null;
  const key = offer ? `${offer.call}:${offer.attempt}` : '';
  const version = offer?.record?.version ?? 0;
  const match = offer?.match ?? '';
  useEffect(() => {
    if (!offer) return;
    if (!visible) {
      void desk.popAck(offer, 'hidden', panelsOnPage()).catch(() => undefined);
      return;
    }
    return afterPaint(() => {
      setPainted((p) => (p.key === key ? p : { key, at: desk.now() }));
      // A refusal means that the offer is over or the line is down; either way
      // the server has told or will tell, and a new line acks again.
      void desk.popAck(offer, 'painted', panelsOnPage()).catch(() => undefined);
    });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a new phase of the same offer is no new picture
  }, [desk, key, version, match, line, visible]);
  return isPainted ? painted.at : 0;
}
