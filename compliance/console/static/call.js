// The page of a call: captions, words and the picture of the call follow the sound.
"use strict";

(() => {
  const sound = document.getElementById("sound");
  if (!sound) return;
  const player = document.getElementById("player");
  const startS = Number(player.dataset.start);
  const strip = document.getElementById("strip");
  const lengthS = Number(strip.dataset.length);
  const playhead = document.getElementById("playhead");
  const caption = document.getElementById("caption");
  const follow = document.getElementById("follow");

  const timed = (selector) =>
    [...document.querySelectorAll(selector)].map((element) => ({
      element, from: Number(element.dataset.from), to: Number(element.dataset.to),
    }));
  const words = timed("#script .word[data-from]");
  const lines = timed("#script .line");

  // Both sides may speak at once: every line and word that sounds is lit.
  const light = (parts, atS) => {
    let first = null;
    for (const part of parts) {
      const now = part.from <= atS && atS < part.to;
      if (now !== part.element.classList.contains("now")) part.element.classList.toggle("now", now);
      if (now) first = part;
    }
    return first;
  };

  let shown = null;
  const show = () => {
    const atS = startS + sound.currentTime;
    const x = `${Math.min(100, (100 * atS) / lengthS)}%`;
    playhead.setAttribute("x1", x);
    playhead.setAttribute("x2", x);
    light(words, atS);
    const line = light(lines, atS);
    if (!line || line === shown) return;
    shown = line;
    const twin = line.element.classList.contains("twin");
    const who = document.createElement("b");
    who.textContent = twin ? "AI twin: " : `${line.element.dataset.who}: `;
    const said = document.createElement("span");
    for (const node of line.element.querySelector(".words").childNodes) said.append(node.cloneNode(true));
    caption.className = `caption ${twin ? "twin" : "caller"}`;
    caption.replaceChildren(who, said);
    words.splice(0, words.length, ...timed("#script .word[data-from], #caption .word[data-from]"));
    if (follow.checked && !sound.paused) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      line.element.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    }
  };

  let running = 0;
  const run = () => {
    show();
    running = sound.paused ? 0 : requestAnimationFrame(run);
  };
  sound.addEventListener("play", () => { if (!running) run(); });
  sound.addEventListener("seeked", show);
  sound.addEventListener("timeupdate", show);
  sound.addEventListener("error", () => { caption.textContent = "The recording cannot be played now; open the page anew."; });

  const seek = (atS) => {
    sound.currentTime = Math.max(0, atS - startS);
    show();
  };
  document.addEventListener("click", (event) => {
    const from = event.target.closest("[data-seek]");
    const skip = event.target.closest("[data-skip]");
    const word = event.target.closest("#script .word[data-from]");
    if (from) {
      seek(Number(from.dataset.seek));
      sound.play();
    } else if (skip) {
      sound.currentTime += Number(skip.dataset.skip);
    } else if (word && !getSelection().toString()) {
      seek(Number(word.dataset.from));
    }
  });
  strip.querySelector("svg").addEventListener("click", (event) => {
    const box = strip.querySelector("svg").getBoundingClientRect();
    seek((lengthS * (event.clientX - box.left)) / box.width);
  });
  const speed = document.getElementById("speed");
  speed.addEventListener("change", () => { sound.playbackRate = Number(speed.value); });

  // Only inside the player, so that no single letter means anything elsewhere on the page.
  player.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
    const keys = { j: -5, l: 5 };
    if (event.key in keys) sound.currentTime += keys[event.key];
    else if (event.key === "k") sound.paused ? sound.play() : sound.pause();
  });
  show();
})();
