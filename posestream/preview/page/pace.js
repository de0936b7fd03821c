// When and how finely the page draws: at one moment for everything, and only what has changed.
//
// Without a graphics card the browser draws with the processor that posestream needs itself.
// Then, and where drawing takes long, the page draws less often and less finely, unless its user
// wants details, and tells posestream so, which sends no more than that.

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const PATIENCE_MS = 3000;  // a drawing that takes longer is given up on
const LONGEST_REST_MS = 600000;

export class Pace {
  #jobs = new Map();
  #changed = new Set();
  #asked = false;
  #next_ms = 0;
  #told = "";
  #rest_ms = 5000;  // for how long a machine that was slow draws sparingly before it is tried again
  #slow_until_ms = 0;

  constructor(link) {
    this.link = link;
    this.software = drawnInSoftware();
    this.wish = localStorage.getItem("details");  // "yes", "no" or, as long as nobody chose, null
    this.slow = false;
    this.coarse = false;
    this.cost_ms = 0;  // of drawing the scene, smoothed
    this.ticks = 0;
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  // What is to be called when that has changed.
  draws(name, draw) {
    this.#jobs.set(name, draw);
  }

  changed(name) {
    this.#changed.add(name);
    this.#ask();
  }

  // Somebody turns the scene, say: they should see it follow.
  hurry(name) {
    this.#next_ms = Math.min(this.#next_ms, performance.now() + 60);
    this.changed(name);
  }

  // Whether to draw as little as will do.
  get spare() {
    return this.wish ? this.wish === "no" : this.software || this.slow;
  }

  choose(details) {
    this.wish = details ? "yes" : "no";
    localStorage.setItem("details", this.wish);
    this.hurry("scene");
  }

  get hz() {
    const least = this.spare ? 2 : 10, most = this.spare ? 6 : 60;
    const share_ms = this.spare ? 100 : 500;  // of each second
    return Math.min(most, Math.max(least, share_ms / Math.max(this.cost_ms, 1)));
  }

  // How many pixels of the canvas for one of the page.
  get ratio() {
    return this.spare ? (this.coarse ? 0.5 : 0.75) : Math.min(devicePixelRatio || 1, 2);
  }

  // Tells posestream what is taken, again where that has changed.
  tell(picture_px) {
    const hz = Math.round(this.hz);
    const payload = {
      motion_hz: hz, picture_hz: this.spare ? Math.min(hz, 4) : 30, figures_hz: this.spare ? 1 : 4,
      picture_px: Math.max(64, Math.ceil(picture_px / 32) * 32),
    };
    const text = JSON.stringify(payload);
    if (text === this.#told || !this.link.say("pace", payload)) return;
    this.#told = text;
  }

  // A new connection knows nothing of it.
  forget() {
    this.#told = "";
  }

  // Waits until the graphics card, or what stands for it, has finished what was asked of it.
  async measure(gl) {
    const begun = performance.now();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    do await new Promise((done) => { setTimeout(done, this.spare ? 12 : 1); });
    while (gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED && performance.now() - begun < PATIENCE_MS);
    gl.deleteSync(fence);
    this.#took(Math.min(performance.now() - begun, 500));
  }

  #took(ms) {
    this.cost_ms = this.cost_ms ? 0.8 * this.cost_ms + 0.2 * ms : ms;
    this.coarse = this.cost_ms > (this.coarse ? 25 : 80);
    const now = performance.now();
    if (!this.slow && this.cost_ms > 60) {
      this.#rest_ms = Math.min(2 * this.#rest_ms, LONGEST_REST_MS);
      this.#slow_until_ms = now + this.#rest_ms;
      this.slow = true;
    } else if (this.slow && this.cost_ms < 18 && now > this.#slow_until_ms) {
      this.slow = false;
    }
  }

  #ask() {
    if (this.#asked || !this.#changed.size || document.hidden) return;
    this.#asked = true;
    const wait_ms = this.#next_ms - performance.now();
    if (wait_ms > 4) setTimeout(() => requestAnimationFrame((now) => this.#tick(now)), wait_ms);
    else requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    this.#asked = false;
    this.#next_ms = now + 1000 / this.hz;
    this.ticks += 1;
    for (const [name, draw] of this.#jobs) {
      if (this.#changed.delete(name)) draw();
    }
    this.#ask();
  }
}

function drawnInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const known = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return SOFTWARE.test(name);
}
