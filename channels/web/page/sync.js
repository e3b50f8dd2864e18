// Lips and voice together: how long the browser is to hold back picture and sound, from what it says it plays.
//
// The sender's clock is exact, but a browser keeps two jitter buffers, and the one for pictures is the shorter. Chromium
// brings them together only when they are more than 30 ms apart, and in steps; this goes on from there.

const STEP_MS = 3; // less is not worth a change
const MARGIN_MS = 15; // by which a wait that a browser aims at may be longer than what pictures really wait
const FOLLOWS_MS = 50; // of a change come about from one measurement to the next
const AFTER_MS = 11; // what comes after the buffer, decoding and showing, until it is known better
const LATE_MS = 12; // by which the picture may be behind before the sound waits for it
const SPARE_MS = 25; // by which the picture could be earlier before the sound stops waiting
const PATIENCE = 6; // measurements in a row after which sound is touched, or something learned
const MOST_MS = 300;

// Decides, and knows no browser.
export class Aligner {
  #video = null;
  #audio = null;
  #after = AFTER_MS;
  #wanted = null; // by the measurement before
  #moving = 0; // measurements until the last change is through
  #apart = 0; // measurements in a row
  #late = 0;
  #spare = 0;

  // From one measurement, all in milliseconds: `ahead` is how much later in the twin's time the picture is that is shown
  // than the sound that is heard; `video` and `audio` is how long each waits in its buffer now, `least` how short the
  // picture's wait could be. Gives how long each should be held back, null for the browser's own choice.
  next({ ahead, video, audio, least }) {
    this.#wait(least - video - ahead, audio);
    this.#pace(video, ahead, least);
    return { video: this.#video, audio: this.#audio };
  }

  #pace(video, ahead, least) {
    if (this.#moving-- > 0) return;
    this.#moving = 0;
    const wanted = within(video + ahead + this.#after);
    // One measurement may be of a moment; what two in a row agree upon is so.
    const agreed = this.#video === null ? wanted : middle(this.#video, this.#wanted ?? wanted, wanted);
    this.#wanted = wanted;
    const change = Math.abs(agreed - (this.#video ?? 0));
    if (this.#video !== null && change < STEP_MS) {
      // Nothing to change and yet apart, again and again: what comes after the buffer was taken for too much or too little.
      this.#apart = Math.abs(ahead) >= STEP_MS && video > least + STEP_MS ? this.#apart + 1 : 0;
      if (this.#apart >= PATIENCE) this.#learn(video);
      return;
    }
    this.#moving = 1 + Math.floor(change / FOLLOWS_MS);
    this.#apart = 0;
    this.#wanted = null;
    this.#video = agreed;
  }

  #learn(video) {
    this.#after = Math.min(4 * AFTER_MS, Math.max(0, this.#video - video));
    this.#apart = 0;
  }

  // The sound waits only where the picture cannot be early enough.
  #wait(late, audio) {
    this.#late = late > LATE_MS ? this.#late + 1 : 0;
    this.#spare = this.#audio !== null && late < -SPARE_MS ? this.#spare + 1 : 0;
    if (this.#late >= PATIENCE) this.#audio = within(Math.max(this.#audio ?? 0, audio) + late);
    else if (this.#spare >= PATIENCE) this.#audio = this.#audio > 2 * SPARE_MS ? this.#audio - SPARE_MS : null;
    else return;
    this.#late = this.#spare = 0;
  }
}

// Measures and sets, for one call.
export class Sync {
  #peer;
  #aligner = new Aligner();
  #before = {};

  constructor(peer) {
    this.#peer = peer;
  }

  // Firefox and Safari before they had it go on by themselves.
  static possible() {
    return "jitterBufferTarget" in (globalThis.RTCRtpReceiver?.prototype ?? {});
  }

  // Called twice a second.
  async look() {
    const found = measured(await this.#peer.getStats().catch(() => new Map()), this.#before);
    if (!found) return;
    const targets = this.#aligner.next(found);
    for (const receiver of this.#peer.getReceivers()) {
      const target = targets[receiver.track.kind];
      if (receiver.jitterBufferTarget !== target) receiver.jitterBufferTarget = target;
    }
  }
}

// The measurement since the one before, of which `before` is kept; null when a browser does not say or nothing came.
export function measured(stats, before) {
  const now = {};
  for (const report of stats.values()) if (report.type === "inbound-rtp") now[report.kind] = report;
  const { video, audio } = now;
  if (!video?.estimatedPlayoutTimestamp || !audio?.estimatedPlayoutTimestamp) return null;
  const found = {
    ahead: video.estimatedPlayoutTimestamp - audio.estimatedPlayoutTimestamp,
    video: waits(video, before.video),
    audio: each(audio, before.audio, "jitterBufferTargetDelay"),
    least: each(video, before.video, "jitterBufferMinimumDelay"),
  };
  Object.assign(before, now);
  return Object.values(found).every(Number.isFinite) ? found : null;
}

// How long pictures wait: what the browser aims at is steadier than what happens, but comes about only slowly.
function waits(video, before) {
  const aim = each(video, before, "jitterBufferTargetDelay");
  const real = each(video, before, "jitterBufferDelay");
  return Math.max(real, Math.min(aim, real + MARGIN_MS));
}

// Milliseconds per frame or sample of what a report adds up in seconds.
function each(report, before, name) {
  return (1000 * (report[name] - (before?.[name] ?? 0))) / (report.jitterBufferEmittedCount - (before?.jitterBufferEmittedCount ?? 0));
}

function middle(a, b, c) {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function within(milliseconds) {
  return Math.round(Math.min(MOST_MS, Math.max(0, milliseconds)));
}
