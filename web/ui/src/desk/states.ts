import type { JackName } from '../ui/glyphs';
import type { AgentStateName } from './protocol';

/** The mark beside the word of an agent's state. */
export function agentJack(state: AgentStateName, reason?: string): JackName {
  switch (state) {
    case 'available':
      return 'ready';
    case 'offered':
    case 'ringing':
      return 'offer';
    case 'talking':
      return 'talk';
    case 'hold':
      return 'hold';
    case 'wrap_up':
      return 'wrap';
    default:
      return reason === 'rona' ? 'rona' : 'away';
  }
}

/** Colour of the ring round one's own initials. */
export const stateColour: Record<JackName, string> = {
  ready: 'var(--st-ready)', offer: 'var(--st-offer)', talk: 'var(--st-talk)', hold: 'var(--st-hold)', wrap: 'var(--st-wrap)', away: 'var(--st-away)', rona: 'var(--st-rona)',
};

export const initials = (name: string) => name.split(/\s+/).filter(Boolean).slice(0, 2).map((p) => p[0]!.toLocaleUpperCase()).join('');
