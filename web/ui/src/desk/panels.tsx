// What every panel of a card shares: its name and state for the pop-ack, and
// the words of a panel that has nothing to show.
import { Icon } from '../ui/Icon';
import { useWords } from './context';
import type { PanelName, PanelState } from './protocol';
import type { LiveCard } from './store';

/** State of a panel that is filled from the customer's record, and from outside systems. */
export function recordPanel(c: LiveCard, has: boolean, name?: PanelName): PanelState {
  if (c.record && has) return 'shown';
  if (c.record) {
    const of = (c.sources ?? []).filter((s) => name && s.panels.includes(name));
    return of.some((s) => s.state === 'loading') ? 'late' : of.some((s) => s.state === 'failed') ? 'failed' : 'empty';
  }
  return c.match === 'pending' ? 'late' : c.match === 'failed' ? 'failed' : 'empty';
}

export function panel(name: PanelName, state: PanelState) {
  return { 'data-panel': name, 'data-state': state };
}

/** Whose a thing is, of those who were merged into one record. */
export function Of({ account }: { account?: string }) {
  const { t } = useWords();
  return account ? <span className="t3 xs nowrap" data-testid="account">{t('account.of', { id: account })}</span> : null;
}

/** What stands in a panel whose values are not there. */
export function Absent({ state, empty }: { state: PanelState; empty: string }) {
  const { t } = useWords();
  if (state === 'late') return <p className="absent t3"><Icon name="clock" size="sm" />{t('panel.late')}</p>;
  if (state === 'failed') return <p className="absent warn"><Icon name="alert" size="sm" />{t('panel.failed')}</p>;
  return <p className="absent t3">{empty}</p>;
}
