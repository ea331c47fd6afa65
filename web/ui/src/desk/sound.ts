// Two soft tones for an offer. A browser that forbids sound before the first
// press stays silent; nothing depends on it.
let audio: AudioContext | null = null;

export function chime(): void {
  try {
    audio ??= new AudioContext();
    const a = audio;
    if (a.state === 'suspended') void a.resume().catch(() => undefined);
    [660, 880].forEach((hz, i) => {
      const at = a.currentTime + i * 0.18;
      const tone = a.createOscillator(), gain = a.createGain();
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.12, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(gain).connect(a.destination);
      tone.start(at);
      tone.stop(at + 0.42);
    });
  } catch {
    // No audio device.
  }
}
