// The outside systems that a panel is filled from beside the record: how each does,
// and how old is what it says.
import { nearDate } from '../format/intl';
import { Icon } from '../ui/Icon';
import { useNow, useWords } from './context';
import { type PanelName, toMs } from './protocol';
import type { LiveCard } from './store';

export function Sources({ c, of }: { c: LiveCard; of: PanelName[] }) {
  const { t, lang } = useWords();
  const now = useNow(30_000);
  const mine = (c.sources ?? []).filter((s) => s.panels.some((p) => of.includes(p)));
  if (mine.length === 0) return null;
  return (
    <span className="more sources t3" data-testid="sources">
      {mine.map((s) => {
        const bad = s.state === 'stale' || s.state === 'failed';
        return (
          <span key={s.name} data-source={s.name} data-state={s.state} className={bad ? 'warn' : undefined}>
            {s.state !== 'ok' && <Icon name={bad ? 'alert' : 'clock'} size="sm" />}
            {t(`source.${s.state}`, { source: s.name, when: s.at ? nearDate(toMs(s.at), now, lang) : '' })}
          </span>
        );
      })}
    </span>
  );
}

/** Which outside system says so, beside what the record has. */
export function From({ source }: { source?: string }) {
  const { t } = useWords();
  return source ? <small className="t3 from-source"> {t('source.from', { source })}</small> : null;
}
