// The board's data as the server streams it, and the orders it is shown in.
import { useEffect, useState } from 'react';
import { boardStream, HttpError, whoAmI } from '../api/http';
import { type AgentStateName, toMs } from '../desk/protocol';

/** A line of the day's figures; service_level is in percent, null without any calls. */
export interface Counts {
  offered: number; answered: number; abandoned: number; answered_in_time: number; decided: number; service_level?: number | null;
}
export interface QueueRow extends Counts {
  name: string; title?: string; waiting: number; oldest_since?: unknown; talking: number; staffed: number; available: number;
  answer_within_s: number; open: boolean; ewt_s?: number; ewt_known?: boolean;
  told_wait?: number; told_wait_kept?: number;
  callbacks_waiting?: number; callbacks?: number; callbacks_done?: number; callbacks_failed?: number;
}
export interface AgentRow { agent: string; name: string; state: AgentStateName; reason?: string; since?: unknown; until?: unknown; call?: number; queue?: string; desk: boolean; phone?: string }
export interface CallRow {
  call: number; phase: string; queue?: string; topic?: string; agent?: string; attempt?: number; since?: unknown; entered?: unknown;
  priority: number; step: number; blocked?: { agent: string; code: string }[] | null;
}
export interface BoardData { at: unknown; degraded?: string[] | null; formula?: string; centre?: Counts; queues: QueueRow[] | null; agents: AgentRow[] | null; calls: CallRow[] | null }

export type BoardLink = 'connecting' | 'live' | 'lost' | 'signed_out';

/** EventSource comes back by itself; only a session that has ended is final. */
export function useBoard(): { board: BoardData | null; link: BoardLink; offset: number } {
  const [board, setBoard] = useState<BoardData | null>(null);
  const [link, setLink] = useState<BoardLink>('connecting');
  const [offset, setOffset] = useState(0);
  useEffect(() => {
    let es: EventSource | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const open = () => {
      es = new EventSource(boardStream());
      es.onmessage = (e) => {
        const b = JSON.parse(String(e.data)) as BoardData;
        setBoard(b);
        setOffset(toMs(b.at) - Date.now());
        setLink('live');
      };
      es.onerror = () => {
        setLink('lost');
        if (es?.readyState === EventSource.CLOSED) void again();
      };
    };
    const again = async () => {
      try {
        await whoAmI();
      } catch (err) {
        if (err instanceof HttpError && err.status === 401) {
          setLink('signed_out');
          return;
        }
      }
      if (!over) timer = setTimeout(open, 2000);
    };
    open();
    return () => {
      over = true;
      clearTimeout(timer);
      es?.close();
    };
  }, []);
  return { board, link, offset };
}

export const isWaiting = (c: CallRow) => ['resolving', 'waiting', 'holding', 'offered', 'ringing'].includes(c.phase);

/** How far the oldest call of a queue is into its promise: over 1 is past it. */
export function pressure(q: QueueRow, now: number): number {
  const oldest = toMs(q.oldest_since);
  if (!q.waiting || !oldest) return 0;
  return (now - oldest) / 1000 / Math.max(1, q.answer_within_s || 20);
}

/** Worst first: by how far the oldest call is past its goal, then by how many wait. */
export const worstFirst = (queues: QueueRow[], now: number) =>
  [...queues].sort((a, b) => pressure(b, now) - pressure(a, now) || b.waiting - a.waiting || a.name.localeCompare(b.name));

/** The service level as the document's formula has it, as a share; null without any calls. */
export const serviceLevel = (c?: Counts): number | null => (c?.service_level == null ? null : c.service_level / 100);

/** Reasons why a call waits, each with how many agents it keeps away, most first. */
export function blockedBy(c: CallRow): [string, number][] {
  const counts = new Map<string, number>();
  for (const b of c.blocked ?? []) counts.set(b.code, (counts.get(b.code) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
