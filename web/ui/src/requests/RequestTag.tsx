// What state a request is in, with its sign.
import { useTranslation } from 'react-i18next';
import type { TrackedRequest } from '../api/http';
import { toMs } from '../desk/protocol';
import { DueTag } from '../ui/DueTag';
import { Tag } from '../ui/Icon';

const outcomes = ['done', 'refused', 'withdrawn'];

export function RequestTag({ r, now }: { r: TrackedRequest; now: number }) {
  const { t } = useTranslation();
  if (r.state === 'closed') return <Tag kind={r.outcome === 'done' ? 'ok' : 'plain'} icon={r.outcome === 'done' ? 'check' : 'x'}>{t(`requests.${outcomes.includes(r.outcome) ? r.outcome : 'done'}`)}</Tag>;
  if (r.state === 'waiting') return <Tag kind="plain" icon="pause">{t('requests.waiting')}</Tag>;
  return <DueTag due={toMs(r.due_at)} now={now} />;
}
