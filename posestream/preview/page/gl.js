// The little of WebGL 2 that the scene needs.

export class Program {
  constructor(gl, vertex, fragment) {
    this.gl = gl;
    this.handle = gl.createProgram();
    gl.attachShader(this.handle, compiled(gl, gl.VERTEX_SHADER, vertex));
    gl.attachShader(this.handle, compiled(gl, gl.FRAGMENT_SHADER, fragment));
    gl.linkProgram(this.handle);
    if (!gl.getProgramParameter(this.handle, gl.LINK_STATUS)) {
      throw new Error(gl.getProgramInfoLog(this.handle));
    }
    this.places = new Map();
  }

  use() {
    this.gl.useProgram(this.handle);
  }

  attribute(name) {
    return this.gl.getAttribLocation(this.handle, name);
  }

  place(name) {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.handle, name));
    return this.places.get(name);
  }

  matrix(name, values) {
    this.gl.uniformMatrix4fv(this.place(name), false, values);
  }

  numbers(name, values) {
    this.gl[`uniform${values.length}fv`](this.place(name), values);
  }

  rows(name, values) {
    this.gl.uniform4fv(this.place(name), values);
  }

  flag(name, on) {
    this.gl.uniform1i(this.place(name), on ? 1 : 0);
  }
}

function compiled(gl, kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

// Buffers for a vertex array: [attribute, data, size, options].
export function vertexArray(gl, program, buffers, indices = null) {
  const array = gl.createVertexArray();
  const made = [];
  gl.bindVertexArray(array);
  for (const [name, data, size, options = {}] of buffers) {
    const place = program.attribute(name);
    const buffer = gl.createBuffer();
    made.push(buffer);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, options.dynamic ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
    if (place < 0) continue;
    gl.enableVertexAttribArray(place);
    if (options.integer) gl.vertexAttribIPointer(place, size, gl.UNSIGNED_BYTE, 0, 0);
    else if (data instanceof Uint8Array) gl.vertexAttribPointer(place, size, gl.UNSIGNED_BYTE, true, 0, 0);
    else gl.vertexAttribPointer(place, size, gl.FLOAT, false, options.stride ?? 0, options.offset ?? 0);
    if (options.each) gl.vertexAttribDivisor(place, 1);
  }
  if (indices) {
    const buffer = gl.createBuffer();
    made.push(buffer);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
  }
  gl.bindVertexArray(null);
  return { array, buffers: made, free: () => {
    made.forEach((buffer) => gl.deleteBuffer(buffer));
    gl.deleteVertexArray(array);
  } };
}

export function imageTexture(gl, picture = null) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.REPEAT);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.REPEAT);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  if (picture) fillTexture(gl, texture, picture);
  else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([30, 36, 44, 255]));
  return texture;
}

export function fillTexture(gl, texture, picture) {
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
}
