import type { User } from '../api/http';
export function Board(_: { user: User; onSignedOut: () => void }) { return null; }
