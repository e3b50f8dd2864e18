// The page: what is shown and what the buttons do. The call itself is in call.js.

import { Call, CallError, openMicrophone } from "./call.js";
import { Captions } from "./captions.js";
import { Face } from "./face.js";
import { Meter } from "./meter.js";
import { showStatus, showNotice } from "./notices.js";
import { PrivacyPanel } from "./privacy.js";

const $ = (id) => document.getElementById(id);

const STATES = {
  connecting: "Connecting",
  disclosing: "Announcement",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  ended: "Call ended",
};
const STATUS_EVERY_MS = 2000;
const STEADY_MS = 5000; // a call that held so long is worth one automatic attempt when it breaks

const PROBLEMS = {
  insecure: [
    "The microphone needs a secure page",
    "Browsers only open the microphone on https:// pages and on this computer itself (http://localhost). Open the page that way, or go on by typing.",
    ["type"],
  ],
  blocked: [
    "The microphone is blocked",
    "Click the icon at the left of the address bar (on a phone: the site settings), allow the microphone, then try again. You can also go on by typing.",
    ["again", "type"],
  ],
  "no-microphone": ["No microphone was found", "Plug one in or switch it on, then try again. You can also go on by typing.", ["again", "type"]],
  "microphone-busy": [
    "The microphone could not be opened",
    "Another program may be using it. Close that program, then try again. You can also go on by typing.",
    ["again", "type"],
  ],
  gone: ["The twin does not answer", "Its server cannot be reached. Check that it is running and that you are connected, then try again.", ["again"]],
  refused: ["The twin cannot take your call right now", "", ["again"]],
  origin: ["Calls from this address are not allowed", "", []],
  "no-way-through": [
    "No connection for sound",
    "The server answered, but sound cannot get through: this computer may have no network, a firewall may block it, or the server needs a TURN server. Try another network.",
    ["again"],
  ],
  silent: ["The browser has blocked the sound", "Allow this page to play sound, then try again.", ["again"]],
  lost: ["The connection was lost", "Check your network, then call again. The announcement will be played again.", ["again"]],
};
const ACTIONS = {
  again: ["Try again", () => dial(wanted)],
  type: ["Go on by typing", () => dial("typing")],
};

const captions = new Captions({ list: $("conversation"), scroller: $("scroller"), empty: $("empty"), announcer: $("announcer") });
const privacy = new PrivacyPanel((message) => call?.send(message));
const face = new Face($("video"), (live) => document.body.toggleAttribute("data-face", live));
const myMeter = new Meter((level) => $("level").style.setProperty("--mine-level", level));
const twinMeter = new Meter((level) => document.body.style.setProperty("--level", level));

let call = null;
let dialling = null; // the attempt under way; hanging up forgets it
let microphone = null;
let wanted = "talking";
let muted = false;
let state = "";
let held = [];
let startedAt = 0;
let clock = 0;

async function dial(how, again = false) {
  if (call || dialling) return;
  const mine = (dialling = {});
  wanted = how;
  hideProblem();
  phase("calling");
  show("connecting");
  // Some browsers let a page sound only if it began to play within the click itself.
  $("sound").play().catch(() => {});
  try {
    const opened = how === "talking" ? (microphone ?? (await openMicrophone())) : null;
    if (dialling !== mine) return stopTracks(opened);
    if (!opened) closeMicrophone();
    microphone = opened;
    call = new Call($("sound"), microphone, Face.wanted() ? face : null);
    setMuted(muted && again);
    listenTo(call);
    await call.start();
    if (dialling !== mine) return;
    dialling = null;
    begun(again);
  } catch (error) {
    if (dialling !== mine) return;
    dialling = call = null;
    closeMicrophone();
    stop("idle", "");
    problem(again && error.code === "gone" ? new CallError("lost") : error);
  }
}

function listenTo(current) {
  captions.begin();
  held = [];
  current.addEventListener("message", ({ detail }) => current === call && heard(detail));
  current.addEventListener("over", ({ detail }) => current === call && over(detail));
}

function begun(again) {
  phase("in-call");
  if (state === "connecting") show("disclosing");
  captions.mark(again ? "Called again" : "Call started");
  startedAt = performance.now();
  clock = setInterval(showDuration, 1000);
  showDuration();
  if (microphone) myMeter.follow(microphone);
  twinMeter.follow(call.remote);
  (wanted === "typing" ? $("words") : $("mute")).focus();
}

function heard(message) {
  if (message.type === "caption") captions.show(message);
  else if (message.type === "status") show(message.state);
  else if (message.type === "notice") showNotice($("notices"), message);
  else if (message.type === "privacy") privacy.show(message);
}

function over(error) {
  const lasted = performance.now() - startedAt;
  const wasUp = document.body.dataset.phase === "in-call";
  dialling = call = null;
  if (wasUp && error.code === "lost" && lasted > STEADY_MS) {
    captions.mark("Connection lost, calling again");
    stop("calling", "connecting");
    dial(wanted, true);
    return;
  }
  closeMicrophone();
  if (wasUp) captions.mark(error.code === "lost" ? "Connection lost" : `Call ended ${duration()}`);
  stop("ended", error.code === "ended" ? "ended" : "");
  if (error.code === "ended") $("start").focus();
  else problem(error);
}

function stop(next, shown) {
  clearInterval(clock);
  privacy.hide();
  myMeter.stop();
  twinMeter.stop();
  phase(next);
  show(shown);
}

function closeMicrophone() {
  stopTracks(microphone);
  microphone = null;
}

function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function setMuted(now) {
  muted = now;
  call?.mute(muted);
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute-text").textContent = muted ? "Unmute" : "Mute";
}

// What a person types before the announcement has played would be dropped at the door, so it waits here.
function submit(event) {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text || !call) return;
  captions.typed(text);
  $("words").value = "";
  held.push(text);
  release();
}

function release() {
  if (state === "connecting" || state === "disclosing") return;
  for (const text of held.splice(0)) call?.type(text);
}

function show(next) {
  state = next;
  document.body.dataset.state = next;
  $("state-text").textContent = STATES[next] ?? "Ready when you are";
  if (call) release();
}

function phase(next) {
  document.body.dataset.phase = next;
  const inCall = next === "in-call";
  const busy = inCall || next === "calling";
  $("opening").hidden = busy;
  $("in-call").hidden = !busy;
  $("mute").hidden = !inCall || !microphone;
  $("level").hidden = !inCall || !microphone;
  $("duration").hidden = !inCall;
  $("start-text").textContent = next === "ended" ? "Call again" : "Start talking";
  $("words").disabled = $("send").disabled = !inCall;
  $("words").placeholder = inCall ? "Type to the twin" : "Type during the call";
}

function problem(error) {
  const [title, text, actions] = PROBLEMS[error.code] ?? PROBLEMS.gone;
  $("problem-title").textContent = title;
  $("problem-text").textContent = [error.message, text].filter(Boolean).join(" ");
  $("problem-actions").replaceChildren(
    ...actions.map((name, at) => {
      const button = document.createElement("button");
      button.type = "button";
      if (at === 0) button.className = "primary";
      button.textContent = error.code === "lost" ? "Call again" : ACTIONS[name][0];
      button.addEventListener("click", ACTIONS[name][1]);
      return button;
    }),
  );
  $("problem").hidden = false;
  ($("problem-actions").firstElementChild ?? $("start")).focus();
}

function hideProblem() {
  $("problem").hidden = true;
}

function duration() {
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function showDuration() {
  $("duration").textContent = duration();
}

function hangUp() {
  if (document.body.dataset.phase === "in-call") return call?.hangUp();
  // Not yet through: nobody is there to say goodbye to.
  call?.close();
  dialling = call = null;
  closeMicrophone();
  stop("idle", "");
  $("start").focus();
}

async function pollStatus() {
  try {
    const response = await fetch("status.json", { signal: AbortSignal.timeout(STATUS_EVERY_MS * 2) });
    if (response.ok) showStatus(await response.json());
  } catch {
    // The call itself says when the server is gone; a missed poll is no news.
  }
  setTimeout(pollStatus, STATUS_EVERY_MS);
}

$("start").addEventListener("click", () => dial("talking"));
$("start-typing").addEventListener("click", () => dial("typing"));
$("mute").addEventListener("click", () => setMuted(!muted));
$("hang-up").addEventListener("click", hangUp);
$("typing").addEventListener("submit", submit);
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || !call) return;
  if (event.code === "KeyM" && microphone) setMuted(!muted);
  else if (event.code === "KeyH") hangUp();
  else return;
  event.preventDefault();
});
window.addEventListener("pagehide", () => {
  call?.send({ type: "hang_up" });
  call?.close();
});
pollStatus();
