// Requests as a page has them: read when it needs them, after what was done about one,
// and again while it stands there.
import { useCallback, useEffect, useRef, useState } from 'react';
import { HttpError, listRequests, type RequestAsk, type RequestType, type TrackedRequest } from '../api/http';

const readEveryMs = 20_000;

export interface RequestList {
  list: TrackedRequest[];
  types: RequestType[];
  failed: boolean;
  read: () => Promise<void>;
}

/** The requests that are asked for; none while ask is null. onSignedOut hears that the session is over. */
export function useRequestList(ask: RequestAsk | null, onSignedOut?: () => void): RequestList {
  const key = ask ? JSON.stringify(ask) : '';
  const asked = useRef(key);
  const [all, setAll] = useState<{ of: string; list: TrackedRequest[]; types: RequestType[] }>({ of: '', list: [], types: [] });
  const [failed, setFailed] = useState(false);
  asked.current = key;
  const read = useCallback(async () => {
    if (!key) return;
    try {
      const got = await listRequests(JSON.parse(key) as RequestAsk);
      if (asked.current !== key) return; // others are asked for by now
      setAll({ of: key, list: got.requests, types: got.types });
      setFailed(false);
    } catch (err) {
      if (err instanceof HttpError && err.status === 401) onSignedOut?.();
      if (asked.current === key) setFailed(true);
    }
  }, [key, onSignedOut]);
  useEffect(() => {
    if (!key) return;
    void read();
    const h = setInterval(() => void read(), readEveryMs);
    return () => clearInterval(h);
  }, [key, read]);
  return { list: all.of === key ? all.list : [], types: all.types, failed: failed && key !== '', read };
}

/** A title by language, as documents write it; "" stands for all others. */
export const typeTitle = (title: Record<string, string> | null, lang: string, otherwise: string): string => title?.[lang] || title?.[''] || Object.values(title ?? {})[0] || otherwise;
