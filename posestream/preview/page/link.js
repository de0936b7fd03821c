// The connection to the daemon: JSON both ways, motion, pictures and meshes in binary.

const KINDS = { 1: "motion", 2: "picture", 3: "mesh" };
const PIECE_BYTES = 512 * 1024;
const WRONG_KEY = 4401;
const text = new TextDecoder();

export class Link {
  #handlers = {};
  #waiting = new Map();
  #next = 1;
  #socket = null;
  #pause_ms = 500;

  constructor(key) {
    this.key = key;
    document.addEventListener("visibilitychange", () => this.#sayVisible());
  }

  on(kind, handler) {
    this.#handlers[kind] = handler;
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(this.key);
    socket.onmessage = (event) => this.#take(event.data);
    socket.onclose = (event) => this.#closed(event);
    this.#socket = socket;
  }

  // The result, or an Error whose message is the daemon's sentence.
  ask(name, payload = {}) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) {
        reject(new Error("posestream is not connected."));
        return;
      }
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ name, id, payload }));
    });
  }

  // What needs no answer; whether it could be sent.
  say(name, payload = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ name, payload }));
    return true;
  }

  async upload(file) {
    const answer = this.ask("upload", { file: file.name, size: file.size });
    let refused = false;
    answer.catch(() => { refused = true; });
    for (let at = 0; at < file.size && !refused; at += PIECE_BYTES) {
      this.#socket.send(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
    }
    return answer;
  }

  #emit(kind, ...values) {
    this.#handlers[kind]?.(...values);
  }

  #take(data) {
    if (typeof data !== "string") {
      const [kind, length] = new Uint32Array(data, 0, 2);
      const head = JSON.parse(text.decode(new Uint8Array(data, 8, length)));
      this.#emit(KINDS[kind], head, data, 8 + length);
      return;
    }
    const message = JSON.parse(data);
    if (message.kind === "reply") this.#settle(message);
    else this.#emit(message.kind, message);
    if (message.kind === "welcome") {
      this.#pause_ms = 500;
      this.#sayVisible();
    }
  }

  #settle(reply) {
    const asked = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.result);
    else asked?.reject(new Error(reply.reason));
  }

  #sayVisible() {
    this.say("visible", { on: !document.hidden });
  }

  #closed(event) {
    for (const { reject } of this.#waiting.values()) reject(new Error("The connection was lost."));
    this.#waiting.clear();
    if (event.code === WRONG_KEY) {
      this.#emit("wrongKey");
      return;
    }
    this.#emit("lost");
    setTimeout(() => this.connect(), this.#pause_ms);
    this.#pause_ms = Math.min(this.#pause_ms * 1.6, 5000);
  }
}
