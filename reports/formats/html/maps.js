// Shows expected, actual and difference as heat maps side by side, with one cursor that pointer and keys move in all
// three.

const TILE = 16;  // size of a plane in the overview, pixels

class Maps {
  constructor(packed, names) {
    this.tensor = tensorOf(packed);
    this.names = [...names, "difference"];
    this.cursor = packed.worst >= 0 ? packed.worst : 0;
    this.zoom = 1;
    this.element = make("div");
    this.build();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
  }

  get plane() { return Math.floor(this.cursor / this.tensor.size); }

  build() {
    const tensor = this.tensor;
    this.readout = make("p", { className: "readout", role: "status" });
    this.canvases = this.names.map((name) => make("canvas", { role: "img" }));
    const boxes = this.canvases.map((canvas, i) => this.box(canvas, i));
    const maps = make("div", { className: "maps", tabIndex: 0, role: "application",
      "aria-label": "Heat maps. Arrow keys move from element to element, N and P between those that differ." },
    ...boxes);
    maps.addEventListener("keydown", (event) => this.key(event));
    maps.drawAgain = () => this.draw();
    this.element.append(this.tools(), ...(tensor.planes > 1 ? [this.overview()] : []), maps, this.readout);
  }

  box(canvas, i) {
    const box = make("div", { className: "map field" }, canvas);
    const follow = (event) => {
      const bounds = canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - bounds.left) / bounds.width * this.tensor.columns);
      const row = Math.floor((event.clientY - bounds.top) / bounds.height * this.tensor.rows);
      if (column < 0 || row < 0 || column >= this.tensor.columns || row >= this.tensor.rows) return;
      this.move(this.plane * this.tensor.size + row * this.tensor.columns + column, false);
    };
    canvas.addEventListener("pointermove", follow);
    canvas.addEventListener("pointerdown", follow);
    return make("div", {}, make("h4", { title: this.names[i] }, this.names[i]), box, this.scale(i));
  }

  scale(i) {
    const { low, high, largest } = this.tensor;
    const [from, to] = i < 2 ? [low, high] : [-largest, largest];
    const bar = make("canvas", { width: 101, height: 1, "aria-hidden": "true" });
    (this.bars ??= []).push({ bar, colour: (t) => (i < 2 ? valueColour(t)
      : differenceColour(Math.round((2 * t - 1) * largest), largest)) });
    return make("p", { className: "scale" }, i < 2 ? `${from}` : signed(from), bar, i < 2 ? `${to}` : signed(to));
  }

  tools() {
    const button = (text, act) => {
      const made = make("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    const tools = make("div", { className: "tools" }, button("Previous difference", () => this.step(-1)),
      button("Next difference", () => this.step(1)));
    if (this.tensor.planes > 1) {
      this.planeInput = make("input", { type: "number", min: 0, max: this.tensor.planes - 1 });
      this.planeInput.addEventListener("change", () => {
        const plane = Math.min(Math.max(0, Math.floor(this.planeInput.valueAsNumber || 0)), this.tensor.planes - 1);
        this.move(plane * this.tensor.size);
      });
      tools.prepend(make("label", {}, `Plane, 0 to ${this.tensor.planes - 1}`, this.planeInput));
    }
    if (this.tensor.size > 100) {
      tools.append(button("Larger", () => this.enlarge(2)), button("Smaller", () => this.enlarge(0.5)));
    }
    return tools;
  }

  // Returns the overview: one field per plane, coloured by how many of its elements differ.
  overview() {
    this.planes = make("canvas", { role: "img",
      "aria-label": `${this.tensor.perPlane.filter(Boolean).length} of ${this.tensor.planes} planes hold elements that differ` });
    this.planes.addEventListener("click", (event) => {
      const plane = Math.floor(event.offsetY / TILE) * this.perRow + Math.floor(event.offsetX / TILE);
      if (plane < this.tensor.planes) this.move(plane * this.tensor.size);
    });
    this.planesHead = make("h4");
    return make("div", {}, this.planesHead, make("div", { className: "planes" }, this.planes));
  }

  drawOverview() {
    const { planes, perPlane } = this.tensor;
    this.perRow = Math.max(1, Math.min(64, Math.floor(this.element.clientWidth / TILE)));
    const rows = Math.ceil(planes / this.perRow);
    const context = sized(this.planes, Math.min(planes, this.perRow) * TILE, rows * TILE);
    const most = perPlane.reduce((a, b) => Math.max(a, b), 0);
    perPlane.forEach((count, plane) => {
      const [x, y] = [plane % this.perRow * TILE, Math.floor(plane / this.perRow) * TILE];
      context.fillStyle = `rgb(${differenceColour(count, most)})`;
      context.fillRect(x + 1, y + 1, TILE - 2, TILE - 2);
      if (plane !== this.plane) return;
      context.strokeStyle = dark.matches ? "#fff" : "#000";
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, TILE - 2, TILE - 2);
    });
    this.planesHead.textContent =
      `Planes by how many of their elements differ: shown is ${planeName(this.tensor, this.plane)}, with ${perPlane[this.plane]}`;
  }

  cell() {
    const { rows, columns } = this.tensor;
    const room = this.canvases[0].parentElement.clientWidth;
    const fit = Math.min(room / columns, 480 / rows, 40);
    return Math.max(1, Math.floor(fit)) * this.zoom;
  }

  draw() {
    const { tensor } = this;
    if (!this.element.isConnected || tensor.expected.length === 0) return;
    const scale = this.cell();
    if (this.pixelsAre !== `${this.plane} ${dark.matches}`) {  // cached: the cursor moves more often than the plane
      this.pixels = FIELDS.map((field) => pixelsOf(tensor, field, this.plane));
      this.pixelsAre = `${this.plane} ${dark.matches}`;
    }
    this.canvases.forEach((canvas, i) => {
      drawPlane(canvas, this.pixels[i], tensor, FIELDS[i], this.plane, scale, this.cursor % tensor.size);
      const wrong = tensor.perPlane[this.plane];
      canvas.setAttribute("aria-label", `${this.names[i]}, ${planeName(tensor, this.plane)}: ` +
        `${tensor.rows} by ${tensor.columns}, ${wrong} ${wrong === 1 ? "differs" : "differ"}`);
    });
    for (const { bar, colour } of this.bars) {
      const context = bar.getContext("2d");
      for (let x = 0; x <= 100; ++x) {
        context.fillStyle = `rgb(${colour(x / 100)})`;
        context.fillRect(x, 0, 1, 1);
      }
    }
    if (this.planes) this.drawOverview();
    if (this.planeInput) this.planeInput.value = this.plane;
    const [e, a] = [tensor.expected[this.cursor], tensor.actual[this.cursor]];
    this.readout.textContent = `[${indexOf(this.cursor, tensor.shape).join(", ")}]  ${this.names[0]} ${e}  ` +
      `${this.names[1]} ${a}  difference ${signed(a - e)}`;
  }

  move(offset, reveal = true) {
    if (offset < 0 || offset >= this.tensor.expected.length || offset === this.cursor) return;
    this.cursor = offset;
    this.draw();
    if (reveal) this.reveal();
  }

  // Scrolls each map that is larger than its box to the element at the cursor.
  reveal() {
    const at = this.cursor % this.tensor.size;
    const scale = this.cell();
    for (const canvas of this.canvases) {
      const box = canvas.parentElement;
      const [x, y] = [at % this.tensor.columns * scale, Math.floor(at / this.tensor.columns) * scale];
      if (x < box.scrollLeft || x + scale > box.scrollLeft + box.clientWidth) box.scrollLeft = x - box.clientWidth / 2;
      if (y < box.scrollTop || y + scale > box.scrollTop + box.clientHeight) box.scrollTop = y - box.clientHeight / 2;
    }
  }

  // Moves the cursor to the next element that differs, in this plane or another, and from the last to the first.
  step(direction) {
    const { differing } = this.tensor;
    if (!differing.length) return;
    const next = direction > 0 ? differing.find((offset) => offset > this.cursor)
      : differing.findLast((offset) => offset < this.cursor);
    this.move(next ?? differing.at(direction > 0 ? 0 : -1));
  }

  enlarge(factor) {
    this.zoom = Math.min(16, Math.max(1, this.zoom * factor));
    this.draw();
    this.reveal();
  }

  key(event) {
    const { columns } = this.tensor;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in moves) this.move(this.cursor + moves[event.key]);
    else if (event.key === "n" || event.key === "N") this.step(1);
    else if (event.key === "p" || event.key === "P") this.step(-1);
    else return;
    event.preventDefault();
  }
}

// There is one listener for all shown maps, because a listener per map would keep maps alive that are no longer shown.
dark.addEventListener("change", () => {
  for (const maps of document.querySelectorAll(".maps")) maps.drawAgain();
});
