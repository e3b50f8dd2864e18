// The conversation as it is heard: one bubble per turn, all of it kept.

const WHO = { caller: "You", twin: "AI twin" };

export class Captions {
  #list;
  #scroller;
  #empty;
  #announcer;
  #turns = new Map();
  #typed = [];
  #call = 0;

  constructor({ list, scroller, empty, announcer }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#empty = empty;
    this.#announcer = announcer;
  }

  // A new call numbers its turns from the beginning.
  begin() {
    this.#call += 1;
    this.#typed = [];
  }

  // Words of either side. The twin's come piece by piece, the caller's as the whole turn so far.
  show({ who, text, turn, final }) {
    const key = `${this.#call} ${who} ${turn}`;
    let bubble = this.#turns.get(key);
    if (!bubble) {
      if (!text) return;
      bubble = (who === "caller" && this.#adopt(text)) || this.#bubble(who);
      this.#turns.set(key, bubble);
    }
    const said = bubble.querySelector(".said");
    const words = who === "twin" ? [said.textContent, text].filter(Boolean).join(" ") : text;
    this.#keepInView(() => {
      if (said.textContent !== words) said.textContent = words;
      bubble.classList.toggle("partial", !final);
    });
    if (final) this.#announcer.textContent = `${WHO[who]}: ${words}`;
  }

  // Words the person typed, shown at once; the server's own caption of them takes the bubble over.
  typed(text) {
    const bubble = this.#bubble("caller", null);
    this.#keepInView(() => (bubble.querySelector(".said").textContent = text));
    this.#typed.push({ bubble, text: plain(text) });
  }

  // A remark between turns, e.g. that the call has ended.
  mark(text) {
    const item = document.createElement("li");
    item.className = "mark";
    item.textContent = text;
    for (const bubble of this.#list.querySelectorAll(".partial")) bubble.classList.remove("partial");
    this.#add(item);
  }

  #adopt(text) {
    const at = this.#typed.findIndex((typed) => typed.text === plain(text));
    return at < 0 ? null : this.#typed.splice(at, 1)[0].bubble;
  }

  #bubble(who, before = this.#typed[0]?.bubble) {
    const item = document.createElement("li");
    item.className = `${who}-says`;
    const name = document.createElement("span");
    name.className = "who";
    name.textContent = WHO[who];
    const said = document.createElement("span");
    said.className = "said";
    item.append(name, said);
    this.#add(item, before);
    return item;
  }

  // What was typed and not yet heard stays last.
  #add(item, before = null) {
    this.#keepInView(() => this.#list.insertBefore(item, before));
    this.#empty.hidden = true;
  }

  // Follow the conversation, unless the person has scrolled back to read.
  #keepInView(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const follow = scrollHeight - scrollTop - clientHeight < 60;
    change();
    if (follow) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

function plain(text) {
  return text.trim().replace(/\s+/g, " ");
}
