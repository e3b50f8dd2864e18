// The twin's face: the still until pictures come, and again when they stop coming.

const LOOK_EVERY_MS = 500;
const STOPPED_AFTER_MS = 3000;

export class Face {
  #video;
  #show;
  #timer = 0;
  #last = 0; // when the last picture was shown
  #live = false;

  // `show` is called with true when pictures move and with false when they do not.
  constructor(video, show) {
    this.#video = video;
    this.#show = show;
    // Safari before 15.4 and Firefox before 132 have no callback per picture; time that goes on says the same.
    if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) {
      video.addEventListener("timeupdate", () => video.currentTime > 0 && this.#seen());
    }
  }

  // Whether to ask for pictures at all: the server sends VP8.
  static wanted() {
    const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? [];
    return codecs.some(({ mimeType }) => mimeType.toLowerCase() === "video/vp8");
  }

  watch(track) {
    this.#video.srcObject = new MediaStream([track]);
    // Muted, it may always play; should the browser still refuse, the still stays.
    this.#video.play().catch(() => {});
    this.#next(this.#video.srcObject);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#video.srcObject = null;
    this.#set(false);
  }

  #next(stream) {
    this.#video.requestVideoFrameCallback?.(() => {
      if (this.#video.srcObject !== stream) return;
      this.#seen();
      this.#next(stream);
    });
  }

  #seen() {
    this.#last = performance.now();
    if (this.#video.srcObject) this.#set(true);
  }

  #look() {
    // A page in the background is shown no pictures, though they come.
    if (document.hidden) this.#last = performance.now();
    else if (performance.now() - this.#last > STOPPED_AFTER_MS) this.#set(false);
  }

  #set(live) {
    if (live !== this.#live) this.#show((this.#live = live));
  }
}
