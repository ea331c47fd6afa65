// Until when something is to be done: a date, a time today, or how late it is.
import { useTranslation } from 'react-i18next';
import { clockTime, dayInWords, sameDay } from '../format/intl';
import { Tag } from './Icon';

export function DueTag({ due, now }: { due: number; now: number }) {
  const { t, i18n } = useTranslation();
  const lang = i18n.language;
  if (due < now) {
    const days = Math.floor((now - due) / 86_400_000);
    return <Tag kind="bad" icon="alert">{days >= 1 ? t('ticket.late_days', { count: days }) : t('ticket.late_since', { time: clockTime(due, lang) })}</Tag>;
  }
  if (sameDay(due, now)) return <Tag kind="warn" icon="clock">{t('ticket.due_today', { time: clockTime(due, lang) })}</Tag>;
  return <Tag kind="line" icon="clock">{t('ticket.due', { day: dayInWords(due, now, lang) })}</Tag>;
}
