// One call: a peer connection with sound each way, the twin's picture, and a data channel for words.

import { Sync } from "./sync.js";

const GATHER_LIMIT_MS = 2000;
const CONNECT_LIMIT_MS = 10000;
const ALIVE_EVERY_MS = 2000;
const SYNC_EVERY_MS = 500;
const LOST_AFTER_MS = 4000;
const SOUND_LIMIT_MS = 500;

// What went wrong, with a code the page has words for.
export class CallError extends Error {
  constructor(code, message = "") {
    super(message);
    this.code = code;
  }
}

// The microphone, or a CallError that says why there is none.
export async function openMicrophone() {
  if (!window.isSecureContext || !navigator.mediaDevices) throw new CallError("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") throw new CallError("blocked");
    if (error.name === "NotFoundError" || error.name === "OverconstrainedError") throw new CallError("no-microphone");
    throw new CallError("microphone-busy");
  }
}

// Events: "message" (detail: what the server said) and, once, "over" (detail: a CallError; code "ended" or "lost").
export class Call extends EventTarget {
  #peer;
  #channel;
  #sound;
  #microphone;
  #face;
  #timers = [];
  #over = false;
  #up = false;
  #why = null; // why it is ending, once either side has said so

  // `microphone` is null for a call of typed words, `face` for one without pictures.
  constructor(sound, microphone, face) {
    super();
    this.#sound = sound;
    this.#microphone = microphone;
    this.#face = face;
  }

  // Resolves when words and sound flow; rejects with a CallError.
  async start() {
    try {
      await this.#connect();
    } catch (error) {
      this.close();
      throw error instanceof CallError ? error : new CallError("gone", error.message);
    }
    this.#up = true;
    this.#timers.push(setInterval(() => this.send({ type: "alive" }), ALIVE_EVERY_MS));
    if (this.#face && Sync.possible()) {
      const sync = new Sync(this.#peer);
      this.#timers.push(setInterval(() => sync.look(), SYNC_EVERY_MS));
    }
    this.#watch();
  }

  get remote() {
    return this.#sound.srcObject;
  }

  mute(muted) {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  type(text) {
    this.send({ type: "text", text });
  }

  hangUp() {
    this.#why ??= new CallError("ended", "caller_left");
    this.send({ type: "hang_up" });
    // The goodbye needs a moment to leave before the connection is torn down.
    setTimeout(() => this.#end(this.#why), 150);
  }

  send(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  close() {
    this.#over = true;
    this.#timers.forEach(clearInterval);
    this.#peer?.close();
    this.#sound.srcObject = null;
    this.#face?.stop();
  }

  async #connect() {
    const config = await this.#ask("webrtc/config");
    const iceServers = config.ice_servers.map((server) => (server.username ? server : { urls: server.urls }));
    const peer = (this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" }));
    const track = this.#microphone?.getAudioTracks()[0];
    if (track) peer.addTrack(track, this.#microphone);
    else peer.addTransceiver("audio", { direction: "recvonly" });
    if (this.#face) peer.addTransceiver("video", { direction: "recvonly" });
    this.#channel = peer.createDataChannel("twin");
    const open = new Promise((resolve) => (this.#channel.onopen = resolve));
    this.#channel.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    this.#channel.onclose = () => this.#up && this.#end(new CallError("lost"));
    peer.ontrack = ({ track: remote }) => {
      if (remote.kind === "video") this.#face?.watch(remote);
      else this.#sound.srcObject = new MediaStream([remote]);
    };

    await peer.setLocalDescription();
    await gathered(peer);
    const { sdp, type } = peer.localDescription;
    await peer.setRemoteDescription(await this.#ask("webrtc/offer", { sdp, type }));
    await limited(open, CONNECT_LIMIT_MS, new CallError("no-way-through"));
    await this.#playing();
    this.send({ type: "ready" });
  }

  // The announcement must not be missed, so the call begins only when the browser plays.
  async #playing() {
    const blocked = this.#sound.play().then(
      () => false,
      (error) => error.name === "NotAllowedError",
    );
    const waited = new Promise((resolve) => setTimeout(resolve, SOUND_LIMIT_MS, false));
    if (await Promise.race([blocked, waited])) throw new CallError("silent");
  }

  async #ask(path, body) {
    let response;
    try {
      response = await fetch(path, {
        method: body ? "POST" : "GET",
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(CONNECT_LIMIT_MS),
      });
    } catch {
      throw new CallError("gone");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const code = response.status === 503 ? "refused" : response.status === 403 ? "origin" : "gone";
    throw new CallError(code, answer.error?.message ?? "");
  }

  #heard(message) {
    if (message.type === "ended") {
      this.#why ??= new CallError("ended", message.reason);
      // The last sound is still on its way to the loudspeaker.
      setTimeout(() => this.#end(this.#why), 200);
    } else if (message.type === "refused") {
      this.#end(new CallError("refused", message.text));
    } else {
      this.dispatchEvent(new CustomEvent("message", { detail: message }));
    }
  }

  // A server that is gone sends no packets: the connection's own state says so only after many seconds.
  #watch() {
    let received = -1;
    let changed = performance.now();
    this.#timers.push(
      setInterval(async () => {
        if (this.#over) return;
        const stats = await this.#peer.getStats();
        if (this.#over) return;
        let now = 0;
        for (const report of stats.values()) if (report.type === "inbound-rtp") now += report.packetsReceived;
        if (now !== received) changed = performance.now();
        received = now;
        const stale = performance.now() - changed > LOST_AFTER_MS;
        if (stale || ["failed", "closed"].includes(this.#peer.connectionState)) this.#end(new CallError("lost"));
      }, 1000),
    );
  }

  #end(error) {
    if (this.#over) return;
    this.close();
    this.dispatchEvent(new CustomEvent("over", { detail: this.#why ?? error }));
  }
}

// Every candidate goes into the offer, so that one request is all the signalling there is.
function gathered(peer) {
  const done = new Promise((resolve) => {
    const check = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });
  return Promise.race([done, new Promise((resolve) => setTimeout(resolve, GATHER_LIMIT_MS))]);
}

function limited(promise, milliseconds, error) {
  return Promise.race([promise, new Promise((_, reject) => setTimeout(reject, milliseconds, error))]);
}
