// The picture of each way a customer was in touch.
import type { IconName } from './glyphs';

export const channelIcon: Record<string, IconName> = { call: 'phone', web: 'web', chat: 'chat', mail: 'mail', sms: 'sms', shop: 'shop', visit: 'wrench', fax: 'note', voicemail: 'ear' };
