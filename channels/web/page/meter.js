// How loud a stream is, as a number from 0 to 1, for as long as it is followed.

const FLOOR_DB = -55;

export class Meter {
  #show;
  #context = null;
  #frame = 0;

  constructor(show) {
    this.#show = show;
  }

  follow(stream) {
    this.stop();
    if (!stream) return;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const db = 10 * Math.log10(power + 1e-10);
      this.#show(Math.max(0, Math.min(1, 1 - db / FLOOR_DB)).toFixed(2));
      this.#frame = requestAnimationFrame(look);
    };
    look();
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#context?.close();
    this.#context = null;
    this.#show(0);
  }
}
