// What is kept of this call, and the buttons that change it.

const $ = (id) => document.getElementById(id);

const WORDS = {
  kept: "Our words are written down.",
  asked: "May our words be written down?",
  not_kept: "Our words are not written down.",
};
const SOUND = {
  off: "No sound is kept.",
  asked: "May the sound be kept too?",
  kept: "The sound is being recorded.",
  not_kept: "No sound is kept.",
};
const WISHES = { "wish-forget": "forget_me", "wish-know": "what_do_you_know" };

// `send` takes what goes to the server; nothing is sent before a call is up.
export class PrivacyPanel {
  constructor(send) {
    for (const purpose of ["transcription", "recording"]) {
      $(`${purpose}-yes`).addEventListener("click", () => send({ type: "consent", purpose, yes: true }));
      $(`${purpose}-no`).addEventListener("click", () => send({ type: "consent", purpose, yes: false }));
    }
    for (const [id, wish] of Object.entries(WISHES)) $(id).addEventListener("click", () => send({ type: "wish", wish }));
  }

  // `{words, sound}` as the server says; it alone knows what is kept.
  show({ words, sound }) {
    $("privacy-words").textContent = WORDS[words];
    $("privacy-sound").textContent = SOUND[sound];
    $("privacy").dataset.sound = sound;
    $("transcription-yes").hidden = words !== "asked";
    $("transcription-no").hidden = words === "not_kept";
    $("transcription-no").textContent = words === "asked" ? "No" : "Stop writing";
    $("recording-yes").hidden = sound !== "asked";
    $("recording-no").hidden = sound !== "asked" && sound !== "kept";
    $("recording-no").textContent = sound === "asked" ? "No" : "Stop recording";
    $("privacy").hidden = false;
  }

  hide() {
    $("privacy").hidden = true;
  }
}
